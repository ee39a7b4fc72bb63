"""Plain language for schedules: a deterministic grammar whose errors point at a word.

A phrase is made of clauses, in any order, each at most once:

    every 5 minutes | every weekday | every 2 weeks | daily | hourly      the period
    on monday and thursday | on the 1st | on the last friday              days
    at 09:00 and 17:30 | at 9am | at noon                                 times
    2026-12-24 18:00 | on 24 December 2026 | in 10 minutes                a single fire
    starting 2026-12-01 | until 2026-12-31                                bounds
    Europe/London                                                         the zone
"""

import re
from collections.abc import Callable
from datetime import datetime

from dsl.amounts import NUMBER_WORDS, UNIT_WORDS, Amount, begins_amount, read_amounts, repeated, total
from dsl.days import (
    RECURRING,
    WEEKDAY_NUMBERS,
    begins_days,
    begins_place,
    begins_weekday,
    place_number,
    read_days,
    read_month_days,
    read_weekdays,
)
from dsl.draft import Draft
from dsl.exclusions import read_excluded, read_names
from dsl.options import MOST_FIRES, Roll
from dsl.problems import Problem, did_you_mean
from dsl.recurrence import WEEKDAYS, Day, NthWeekday, Period, Unit, days_text
from dsl.times import begins_date, begins_time, is_clear_time, read_date, read_moment, read_time
from dsl.words import PhraseError, Word, Words
from dsl.zones import find_zone, zone_hint

_ADVERBS: dict[str, tuple[int, str]] = {
    "hourly": (1, "hour"),
    "daily": (1, "day"),
    "nightly": (1, "day"),
    "weekly": (1, "week"),
    "fortnightly": (2, "week"),
    "biweekly": (0, "week"),
    "bimonthly": (0, "month"),
    "monthly": (1, "month"),
    "yearly": (1, "year"),
    "annually": (1, "year"),
}
_TODAY = {"tomorrow", "today", "tonight", "yesterday", "now", "next", "this", "soon", "later"}
_PARTS_OF_DAY = {"morning", "noon", "afternoon", "evening", "night", "midnight"}
_FRACTIONS = {"half": "write 'every 30 minutes'", "quarter": "write 'every 15 minutes'"}
_ROLLS: dict[tuple[str, ...], Roll] = {
    ("to", "the", "next", "business", "day", "in", "the", "month"): "modified_following",
    ("to", "the", "next", "business", "day"): "next",
    ("to", "the", "previous", "business", "day"): "previous",
}
_CRON = re.compile(r"\s*(@\w+|([\d*?][\d*/,?LW#-]*\s+){4,5}[\w*?][\w*?/,#-]*)\s*", re.ASCII)


def read_phrase(text: str) -> Draft:
    """The rule that a phrase states; raises `PhraseError`."""
    if _CRON.fullmatch(text):
        hint = "write it such as 'every weekday at 09:00'"
        raise PhraseError(Problem("cron", "cron text is not supported yet", hint, "not_supported"))
    draft = Draft()
    read_clauses(Words(text), draft)
    return draft


def read_clauses(words: Words, draft: Draft) -> None:
    """Read clauses into the draft until the words end."""
    while words:
        clause = _CLAUSES.get(words.peek().lower) or _unmarked(words)
        clause(words, draft)


def read_every(words: Words, draft: Draft) -> None:
    """What follows `every`: a period, weekdays, or days of the month."""
    words.accept("every", "each")
    word, following = words.peek(), words.peek(1).lower
    if begins_weekday(words):
        draft.put("every", Period(1, "week"), word, words)
        draft.put("on", read_weekdays(words), word, words)
    elif word.lower == "other" or (place_number(word) and following in UNIT_WORDS):
        words.take()
        _every_nth(2 if word.lower == "other" else place_number(word) or 0, word, words, draft)
    elif begins_place(words) and (word.lower != "second" or following in WEEKDAY_NUMBERS):
        _every_place(words, draft)
    else:
        _refuse_vague(word, words)
        draft.put("every", repeated(read_amounts(words, "every"), words), word, words)


def read_on(words: Words, draft: Draft) -> None:
    """What follows `on`: days, or a single date."""
    words.accept("on")
    word = words.peek()
    if begins_date(words) or (word.lower == "the" and _date_behind(words)):
        return _date(words, draft)
    if word.lower in _TODAY:
        raise _lost(word, words, draft)
    draft.is_plural = draft.is_plural or word.lower in RECURRING
    draft.put("on", read_days(words), word, words)
    if words.accept("of", "in"):
        if words.peek().lower in {"every", "each"}:
            return read_every(words, draft)
        words.accept("the")
        unit = words.take()
        if unit.lower not in {"month", "year", "week"}:
            raise words.unknown(unit, "on", "month", ["month", "every month"], "such as 'of every month'")
    return None


def read_at(words: Words, draft: Draft) -> None:
    """What follows `at`: times of day, a single date, or `in` and a delay."""
    words.accept("at")
    word = words.peek()
    if word.lower in _TODAY:
        raise _lost(word, words, draft)
    if words.accept("in"):
        return _delay(words, draft)
    if begins_date(words):
        return _date(words, draft)
    times = [read_time(words, "at")]
    while words.continues(begins_time):
        times.append(read_time(words, "at"))
    return draft.put("times", tuple(times), word, words)


def read_zone(words: Words, draft: Draft) -> None:
    """A time zone by its name."""
    word = words.peek()
    name = find_zone(word.text)
    if name is None:
        rest = " ".join(words.peek(ahead).text for ahead in range(3)).strip()
        raise words.error(word, "timezone", f"no time zone {word.shown}", zone_hint(word.text, rest))
    draft.put("timezone", name, words.take(), words)


def _every_nth(step: int, word: Word, words: Words, draft: Draft) -> None:
    """`every other week`, `every third day`, `every other friday`."""
    unit = words.peek()
    if not begins_weekday(words):
        if unit.lower not in UNIT_WORDS:
            raise words.unknown(
                unit, "every", "unit of time", ["day", "week", "month", "year", "hour", "minute"]
            )
        words.take()
        return draft.put("every", repeated([Amount(step, UNIT_WORDS[unit.lower], unit)], words), word, words)
    days = read_weekdays(words)
    if len(days) != 1:
        raise words.error(unit, "every", "every other one of several days", "write 'every 2 weeks on …'")
    draft.put("every", Period(step, "week"), word, words)
    return draft.put("on", days, word, words)


def _every_place(words: Words, draft: Draft) -> None:
    """`every last friday of the month`, `every 24 December`."""
    word = words.peek()
    days = read_month_days(words)
    unit: Unit = "year"
    if not any(getattr(day, "month", 0) for day in days):
        unit = "month"
        if not (words.accept("of") and words.accept("the", "each", "every") and words.accept("month")):
            hint = f"write 'every month on {days_text(days)}'" + _or_weeks(days)
            raise words.error(word, "every", f"{word.shown} of what is not clear", hint)
    draft.put("every", Period(1, unit), word, words)
    draft.put("on", days, word, words)


def _or_weeks(days: tuple[Day, ...]) -> str:
    """What else `every second monday` may mean."""
    match days:
        case (NthWeekday(nth, (weekday,)),) if nth > 1:
            return f" or 'every {nth} weeks on {WEEKDAYS[weekday]}'"
    return ""


def _adverb(words: Words, draft: Draft) -> None:
    word = words.take()
    step, unit = _ADVERBS[word.lower]
    if not step:
        hint = f"write 'every 2 {unit}s' or 'every {unit}' with two days"
        raise words.error(word, "every", f"{word.shown} may mean twice a {unit} or every second {unit}", hint)
    draft.put("every", repeated([Amount(step, unit, word)], words), word, words)


def _date(words: Words, draft: Draft) -> None:
    words.accept("the")
    word = words.peek()
    moment = read_date(words, "at")
    if isinstance(moment, datetime):
        draft.put("instant", moment, word, words)
    else:
        draft.put("day", moment, word, words)


def _in(words: Words, draft: Draft) -> None:
    """`in 10 minutes`, or `in Europe/London`."""
    words.take()
    word = words.peek()
    if (
        not word.text
        or word.text[0] in "0123456789-+"
        or word.lower in NUMBER_WORDS
        or word.lower in UNIT_WORDS
    ):
        _delay(words, draft)
    else:
        read_zone(words, draft)


def _delay(words: Words, draft: Draft) -> None:
    word = words.peek()
    delay = total(read_amounts(words, "at"), words, "at")
    if not delay:
        raise words.error(word, "at", "a delay must be above zero")
    draft.put("delay", delay, word, words)


def _start(words: Words, draft: Draft) -> None:
    words.take()
    words.accept("from")
    word = words.peek()
    draft.put("start", read_moment(words, "start", at=False), word, words)


def _end(words: Words, draft: Draft) -> None:
    words.take()
    word = words.peek()
    draft.put("end", read_moment(words, "end", at=False), word, words)


def _except(words: Words, draft: Draft) -> None:
    words.take()
    word = words.peek()
    draft.put("excluded", read_excluded(words), word, words)


def _only(words: Words, draft: Draft) -> None:
    """`only on trading_days`."""
    words.take()
    words.accept("on", "in")
    word = words.peek()
    draft.put("only", read_names(words, "calendars"), word, words)


def _roll(words: Words, draft: Draft) -> None:
    """`moved to the next business day`."""
    word = words.take()
    for wanted, roll in _ROLLS.items():
        if tuple(words.peek(ahead).lower for ahead in range(len(wanted))) == wanted:
            words.skip(len(wanted))
            return draft.put("roll", roll, word, words)
    hint = (
        "write 'moved to the next business day', '… the previous …' or '… the next business day in the month'"
    )
    raise words.error(word, "calendars", "where days are moved to is not clear", hint)


def _count(words: Words, draft: Draft) -> None:
    """`10 times`."""
    word = words.take()
    words.take()
    number = NUMBER_WORDS.get(word.lower) or int(word.lower[:9])
    if not 1 <= number <= MOST_FIRES:
        raise words.error(word, "count", f"must be from 1 to {MOST_FIRES}")
    draft.put("count", number, word, words)


def _begins_count(words: Words) -> bool:
    word, following = words.peek().lower, words.peek(1).lower
    return following in {"time", "times"} and (word in NUMBER_WORDS or (word.isascii() and word.isdigit()))


def _skip(words: Words, draft: Draft) -> None:
    words.take()


_CLAUSES: dict[str, Callable[[Words, Draft], None]] = {
    **dict.fromkeys(("every", "each"), read_every),
    **dict.fromkeys(_ADVERBS, _adverb),
    "on": read_on,
    "at": read_at,
    "in": _in,
    **dict.fromkeys(("starting", "from", "since", "beginning"), _start),
    **dict.fromkeys(("until", "till", "ending"), _end),
    **dict.fromkeys(("except", "excluding", "without", "unless"), _except),
    "only": _only,
    **dict.fromkeys(("moved", "rolled"), _roll),
    **dict.fromkeys((",", "once"), _skip),
}


def _unmarked(words: Words) -> Callable[[Words, Draft], None]:
    """The clause that begins without a word of its own."""
    word = words.peek()
    if _begins_count(words):
        return _count
    if begins_date(words):
        return _date
    if is_clear_time(words):
        return read_at
    if word.lower in RECURRING or (begins_days(words) and begins_place(words)) or word.lower == "the":
        return read_on
    if find_zone(word.text):
        return read_zone
    return _raise_lost


def _raise_lost(words: Words, draft: Draft) -> None:
    raise _lost(words.peek(), words, draft)


def _lost(word: Word, words: Words, draft: Draft) -> PhraseError:
    """The error for a word that begins no clause, with the best guess at what was meant."""
    if word.lower in _TODAY:
        hint = "write the date, such as '2026-12-24 18:00', or 'in 10 minutes'"
        return words.error(word, "at", f"{word.shown} depends on today", hint)
    if word.lower == "between":
        return words.error(word, "at", "'between' is not supported yet", "list the times", "not_supported")
    if word.lower in {"and", "&"} and draft.columns:
        hint = "a rule has one set of days and times; write two schedules"
        return words.error(word, "schedule", f"{word.shown} joins nothing that fits here", hint)
    if begins_weekday(words) or begins_amount(words):
        return _misplaced(word, words, draft)
    if draft.columns and ("/" in word.text or word.text[:1].isupper()):
        return words.error(word, "timezone", f"no time zone {word.shown}", zone_hint(word.text))
    hint = did_you_mean(word.lower, [*_CLAUSES, *WEEKDAYS]) or "begin with 'every', 'in' or a date"
    return words.error(word, "schedule", f"{word.shown} is not understood here", hint)


def _misplaced(word: Word, words: Words, draft: Draft) -> PhraseError:
    """The error for days, or an amount of time, that no `every`, `on` or `in` announces."""
    if draft.columns:
        hint = "a rule has one set of days and times; write two schedules"
        return words.error(word, "schedule", f"{word.shown} does not fit here", hint)
    if begins_amount(words):
        is_apart = word.text.isdecimal() or word.lower in NUMBER_WORDS
        amount = f"{word.text} {words.peek(1).text}" if is_apart else word.text
        hint = f"write 'every {amount}' or 'in {amount}'"
        return words.error(word, "every", f"'{amount}' alone is no rule", hint)
    hint = f"did you mean 'every {word.text}'?"
    return words.error(word, "every", f"{word.shown} alone depends on today", hint)


def _date_behind(words: Words) -> bool:
    """Whether a full date follows the word `the`."""
    ahead = Words(" ".join(words.peek(index).text for index in range(1, 6)))
    return begins_date(ahead)


def _refuse_vague(word: Word, words: Words) -> None:
    """Periods that people name and that are none here."""
    following = {words.peek(ahead).lower for ahead in (1, 2)}
    if word.lower in _FRACTIONS and "hour" in following:
        raise words.error(word, "every", f"no unit of time {word.shown}", _FRACTIONS[word.lower])
    if word.lower in {"quarter", "quarters"}:
        hint = "write 'every 3 months', with a 'start' in the first of them"
        raise words.error(word, "every", "a quarter may begin in any month", hint)
    if word.lower in _PARTS_OF_DAY:
        hint = "write 'every day at …', with the time"
        raise words.error(word, "every", f"{word.shown} is no time of day", hint)
