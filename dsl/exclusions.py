"""What a schedule leaves out, in a phrase: days, dates, ranges of dates, and calendars by their names."""

from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches

from dsl.days import DAY_WORDS, begins_days, read_days
from dsl.options import CALENDAR_NAME
from dsl.recurrence import DateRange, Exclusion
from dsl.times import begins_date, read_date
from dsl.words import Words

MOST = 1000  # days, dates and ranges; more of them are a calendar
_UNTIL = ("to", "until", "till", "through", "thru", "-", "\N{EN DASH}")
_ALIKE = 0.8  # from which on a name is taken for a day that is misspelt
_HINT = "name a weekday, a date such as '2026-12-24', or a calendar"
_NO_NAMES = {"at", "on", "in", "every", "each", "from", "until", "starting", "between", "cron", "only", "the"}


@dataclass(frozen=True)
class Excluded:
    """The exclusions and the names of calendars of one list."""

    exclusions: tuple[Exclusion, ...] = ()
    calendars: tuple[str, ...] = ()

    def __add__(self, other: "Excluded") -> "Excluded":
        return Excluded(self.exclusions + other.exclusions, self.calendars + other.calendars)


def read_excluded(words: Words) -> Excluded:
    """One exclusion or more, joined by commas, `and` or `or`."""
    found = _one(words)
    while words.continues(_begins) or words.accept("or"):
        found += _one(words)
    if len(found.exclusions) > MOST:
        raise words.error(
            words.peek(), "exclude", f"more than {MOST} days and dates", "make a calendar of them"
        )
    return found


def read_names(words: Words, where: str) -> tuple[str, ...]:
    """The name of a calendar, or several joined by commas or `and`."""
    names = [_name(words, where)]
    while words.continues(_begins_name):
        names.append(_name(words, where))
    return tuple(dict.fromkeys(names))


def _one(words: Words) -> Excluded:
    words.accept("on")
    has_from = words.accept("from")
    if begins_date(words) or has_from:
        return Excluded((_range(words),))
    if begins_days(words):
        return Excluded(read_days(words))
    return Excluded((), (_name(words, "exclude"),))


def _range(words: Words) -> DateRange:
    first, word = _date(words), words.peek()
    if not words.accept(*_UNTIL):
        return DateRange(first, first)
    last = _date(words)
    if last < first:
        raise words.error(word, "exclude", "the range ends before it begins")
    return DateRange(first, last)


def _date(words: Words) -> date:
    words.accept("the")
    word = words.peek()
    if not begins_date(words):
        shown = f"{word.shown} is not a date" if word.text else "the date is missing"
        raise words.error(word, "exclude", shown, "write it such as '2026-12-24'")
    found = read_date(words, "exclude")
    if isinstance(found, datetime):
        raise words.error(word, "exclude", "whole days are left out", "write the date without a time")
    return found


def _name(words: Words, where: str) -> str:
    is_named = words.accept("calendar", "calendars")
    word = words.take()
    # A slip in the name of a day must not become a calendar.
    slip = "" if is_named else next(iter(get_close_matches(word.lower, DAY_WORDS, 1, _ALIKE)), "")
    if slip or not CALENDAR_NAME.fullmatch(word.lower) or (word.lower in _NO_NAMES and not is_named):
        hint = f"did you mean '{slip}'?" if slip else _HINT
        raise words.unknown(word, where, "day or calendar", (), hint)
    return word.lower


def _begins(words: Words) -> bool:
    return (
        words.peek().lower in {"from", "on"}
        or begins_date(words)
        or begins_days(words)
        or _begins_name(words)
    )


def _begins_name(words: Words) -> bool:
    word = words.peek().lower
    return word in {"calendar", "calendars"} or _is_name(word)


def _is_name(word: str) -> bool:
    return CALENDAR_NAME.fullmatch(word) is not None and word not in _NO_NAMES
