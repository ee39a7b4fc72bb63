"""Times of day and dates in a phrase: `09:00`, `9am`, `noon`, `2026-12-24`, `24 December 2026`."""

import re
from datetime import UTC, date, datetime, time

from dsl.recurrence import FIRST_YEAR, LAST_YEAR, MONTHS
from dsl.words import Word, Words

_TIME = re.compile(r"(\d{1,2})(?::(\d{2})(?::(\d{2}))?)?(am|pm|a\.m\.|p\.m\.)?", re.ASCII)
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:t(.+))?", re.ASCII)
_OFFSET = re.compile(r"(.*\d)(z|[-+]\d{2}:?\d{2})", re.ASCII)
_NUMERIC = re.compile(r"\d{1,4}([/.-])\d{1,2}\1\d{1,4}(t.*)?", re.ASCII)
_DAY = re.compile(r"(\d{1,2})(st|nd|rd|th)?", re.ASCII)
_HALVES = {"am": 0, "a.m.": 0, "pm": 12, "p.m.": 12}
_NAMED = {"noon": time(12), "midday": time(12), "midnight": time(0)}
_TIME_HINT = "write it as '09:00' or '9am'"

MONTH_NUMBERS = {name: number for number, name in enumerate(MONTHS, 1)} | {
    **{name[:3]: number for number, name in enumerate(MONTHS, 1)},
    "sept": 9,
}


def begins_time(words: Words) -> bool:
    """Whether a time of day comes next, even a wrong one such as `25:00`."""
    word = words.peek().lower
    return word in _NAMED or (word[:1].isdigit() and not begins_date(words))


def is_clear_time(words: Words) -> bool:
    """Whether the next words can only be a time of day, so that no `at` is needed before it."""
    word = words.peek()
    match = _TIME.fullmatch(word.lower)
    half = match and (match[4] or words.peek(1).lower in _HALVES)
    return word.lower in _NAMED or bool(match and (match[2] or half))


def read_time(words: Words, where: str) -> time:
    """The time of day that comes next."""
    word = words.take()
    if word.lower in _NAMED:
        return _NAMED[word.lower]
    half = words.take().lower if words.peek().lower in _HALVES else ""
    words.accept("o'clock", "oclock")
    return _clock(word, word.lower + half, words, where)


def begins_date(words: Words) -> bool:
    """Whether a date with its year comes next, even an impossible one."""
    return bool(_NUMERIC.fullmatch(words.peek().lower)) or _spelled(words) is not None


def read_date(words: Words, where: str) -> date | datetime:
    """The date that comes next; with a time where both are one word."""
    spelled = _spelled(words)
    if spelled:
        word, (day, month, year, count) = words.peek(), spelled
        words.skip(count)
        return _date(word, (year, month, day), words, where)
    word = words.take()
    match = _ISO.fullmatch(word.lower)
    if not match:
        hint = "write the year first, such as '2026-12-24'"
        raise words.error(word, where, f"{word.shown} may mean two dates", hint)
    found = _date(word, (int(match[1]), int(match[2]), int(match[3])), words, where)
    if match[4] is None:
        return found
    return _instant(
        found, Word(match[4], word.text[match.start(4) :], word.column + match.start(4)), words, where
    )


def read_moment(words: Words, where: str, *, at: bool) -> date | datetime:
    """A date with or without a time; with `at`, the time may follow that word."""
    words.accept("the", "on")
    if not words or not begins_date(words):
        word = words.peek()
        shown = f"{word.shown} is not a date" if word.text else "the date is missing"
        raise words.error(word, where, shown, "write it such as '2026-12-24' or '2026-12-24T18:00'")
    moment = read_date(words, where)
    if isinstance(moment, datetime):
        return moment
    if is_clear_time(words) or (at and words.accept("at")):
        return datetime.combine(moment, read_time(words, where))
    return moment


def day_number(word: Word) -> int | None:
    """24 for `24` and `24th`."""
    match = _DAY.fullmatch(word.lower)
    return int(match[1]) if match else None


def _spelled(words: Words) -> tuple[int, int, int, int] | None:
    """Day, month, year and number of words of `24 December 2026` or `December 24, 2026`."""
    first, second = words.peek(), words.peek(1)
    if first.lower in MONTH_NUMBERS:
        month, day, at = MONTH_NUMBERS[first.lower], day_number(second), 2
    else:
        of = second.lower == "of"
        month, day, at = MONTH_NUMBERS.get(words.peek(1 + of).lower, 0), day_number(first), 2 + of
    at += words.peek(at).text == ","
    year = words.peek(at).text
    if day is None or not month or not re.fullmatch(r"\d{4}", year, re.ASCII):
        return None
    return day, month, int(year), at + 1


def _date(word: Word, parts: tuple[int, int, int], words: Words, where: str) -> date:
    year, month, day = parts
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise words.error(word, where, f"the year {year} is outside {FIRST_YEAR} to {LAST_YEAR}")
    try:
        return date(year, month, day)
    except ValueError:
        shown = f"{year:04}-{month:02}-{day:02}"
        what = (
            f"there is no month {month}"
            if not 1 <= month <= 12
            else f"{MONTHS[month - 1].title()} {year} has no day {day}"
        )
        raise words.error(word, where, f"there is no date {shown}", what) from None


def _instant(day: date, word: Word, words: Words, where: str) -> datetime:
    """`18:00:00z` on `day`; with an offset the result is in UTC, else a wall time."""
    match = _OFFSET.fullmatch(word.lower)
    clock = re.sub(r"(:\d\d:\d\d)[.,]0+$", r"\1", match[1] if match else word.lower)
    wall = datetime.combine(day, _clock(word, clock, words, where))
    if not match:
        return wall
    try:
        offset = "+00:00" if match[2] == "z" else match[2]
        return datetime.fromisoformat(wall.isoformat() + offset).astimezone(UTC)
    except (ValueError, OverflowError):
        raise words.error(word, where, f"no offset '{match[2]}'", "such as '+01:00' or 'Z'") from None


def _clock(word: Word, text: str, words: Words, where: str) -> time:
    match = _TIME.fullmatch(text)
    if not match:
        thing = f"{word.shown} is not a time of day" if word.text else "the time of day is missing"
        raise words.error(word, where, thing, _TIME_HINT)
    hour, minute, second = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    if match[4] and not 1 <= hour <= 12:
        raise words.error(word, where, f"no time {word.shown}", "with am and pm, hours go from 1 to 12")
    if match[4]:
        hour = hour % 12 + _HALVES[match[4]]
    if hour > 23 or minute > 59 or second > 59:
        hint = (
            "hours go from 0 to 23; midnight is 00:00 of the next day"
            if hour > 23
            else "minutes and seconds go to 59"
        )
        raise words.error(word, where, f"no time {word.shown}", hint)
    return time(hour, minute, second)
