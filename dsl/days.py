"""Days in a phrase: `monday and thursday`, `the last friday`, `1st`, `24 December`."""

import re
from calendar import monthrange
from typing import NamedTuple

from dsl.recurrence import (
    LAST,
    MONTHS,
    WEEKDAYS,
    WEEKEND,
    WORKDAYS,
    Day,
    MonthDay,
    NthWeekday,
    Weekday,
    ordinal,
)
from dsl.times import MONTH_NUMBERS, day_number
from dsl.words import Word, Words

_SHORT = {
    "mon": 0,
    "tue": 1,
    "tues": 1,
    "wed": 2,
    "thu": 3,
    "thur": 3,
    "thurs": 3,
    "fri": 4,
    "sat": 5,
    "sun": 6,
}
_FULL = {name: number for number, name in enumerate(WEEKDAYS)}
_PLURAL = {f"{name}s": number for name, number in _FULL.items()}
WEEKDAY_NUMBERS = _SHORT | _FULL | _PLURAL
_GROUPS = {
    "weekday": WORKDAYS,
    "weekdays": WORKDAYS,
    "workday": WORKDAYS,
    "workdays": WORKDAYS,
    "weekend": WEEKEND,
    "weekends": WEEKEND,
}
RECURRING = {*_PLURAL, "weekdays", "workdays", "weekends"}
_RANGE = re.compile(r"([a-z]+)-([a-z]+)")
_ORDINALS = {
    name: number
    for number, name in enumerate(
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"], 1
    )
} | {"last": LAST}
DAY_WORDS = [*WEEKDAYS, *_GROUPS, *_ORDINALS, *MONTHS]


class _Place(NamedTuple):
    """An ordinal that waits for what it counts."""

    number: int
    word: Word


def begins_weekday(words: Words) -> bool:
    """Whether a weekday, a range of them or a group comes next."""
    return _weekdays_of(words.peek()) is not None


def begins_place(words: Words) -> bool:
    """Whether an ordinal (`1st`, `last`) or a day with a month comes next."""
    word = words.peek()
    return (
        word.lower in _ORDINALS or re.fullmatch(r"\d+(st|nd|rd|th)", word.lower) is not None or _dated(words)
    )


def begins_days(words: Words) -> bool:
    """Whether any kind of day comes next."""
    first = words.peek().lower
    if first in {"the", "day"}:
        return True
    return begins_weekday(words) or begins_place(words) or day_number(words.peek()) is not None


def read_days(words: Words) -> tuple[Day, ...]:
    """One day or more, joined by commas or `and`; days of a month keep no month unless one is named."""
    days: list[Day] = []
    while True:
        days += read_weekdays(words) if begins_weekday(words) else read_month_days(words)
        if not words.continues(begins_days):
            return tuple(days)


def read_weekdays(words: Words) -> tuple[Day, ...]:
    """`monday`, `mon-fri`, `weekdays`, and more of them after commas or `and`."""
    days = _weekly(words)
    while words.continues(begins_weekday):
        days += _weekly(words)
    return tuple(days)


def read_month_days(words: Words) -> tuple[Day, ...]:
    """`1st and 15th`, `the first and third monday`, `day 15`, `24 December`, `last friday of november`."""
    words.accept("the")
    if _dated(words):
        return (_date_of_year(words),)
    places = [_place(words)]
    while words.continues(lambda rest: begins_place(rest) and not _dated(rest)):
        places.append(_place(words))
    return tuple(_in_month(_counted(places, words), words))


def place_number(word: Word) -> int | None:
    """2 for `second` and `2nd`; None for other words."""
    if word.lower in _ORDINALS:
        return _ORDINALS[word.lower] if word.lower != "last" else None
    return day_number(word) if word.lower[-2:] in {"st", "nd", "rd", "th"} else None


def _weekly(words: Words) -> list[Day]:
    first = words.take()
    numbers = _weekdays_of(first) or ()
    if first.lower in {"weekend", "weekends"}:
        words.accept("day", "days")
    if len(numbers) == 1 and words.accept("to", "through", "thru", "-", "\N{EN DASH}"):
        word = words.take()
        until = WEEKDAY_NUMBERS.get(word.lower)
        if until is None:
            raise words.unknown(word, "on", "weekday", WEEKDAYS)
        numbers = _span(numbers[0], until)
    return [Weekday(number) for number in numbers]


def _counted(places: list[_Place], words: Words) -> list[Day]:
    """What the ordinals count: weekdays if one follows, else days of the month."""
    weekdays = None if not words else _weekdays_of(words.peek())
    if weekdays is None:
        words.accept("day", "days")
        return [_month_day(place, words) for place in places]
    if words.take().lower == "weekend" and not words.accept("day"):
        raise words.error(words.peek(), "on", "a weekend has two days", "name one, or write 'weekend day'")
    for place in places:
        if not 1 <= place.number <= 5 and place.number != LAST:
            raise words.error(
                place.word, "on", f"no month has a {ordinal(place.number)} one", "use first to fifth, or last"
            )
    return [NthWeekday(place.number, weekdays) for place in places]


def _in_month(days: list[Day], words: Words) -> list[Day]:
    """The days with the month named after `of`, if one is."""
    if words.peek().lower not in {"of", "in"} or words.peek(1).lower not in MONTH_NUMBERS:
        return days
    words.take()
    named = words.take()
    month = MONTH_NUMBERS[named.lower]
    return [_with_month(day, month, named, words) for day in days]


def _with_month(day: Day, month: int, named: Word, words: Words) -> Day:
    match day:
        case MonthDay():
            return MonthDay(_possible(day.day, month, named, words), month)
        case NthWeekday():
            return NthWeekday(day.nth, day.weekdays, month)
    return day


def _place(words: Words) -> _Place:
    words.accept("day")
    word = words.take()
    number = _ORDINALS.get(word.lower, day_number(word))
    if number is None:
        raise words.unknown(word, "on", "day", DAY_WORDS, "name a weekday, '1st' or 'last day'")
    return _Place(number, word)


def _month_day(place: _Place, words: Words) -> MonthDay:
    if place.number != LAST and not 1 <= place.number <= 31:
        raise words.error(
            place.word, "on", f"no month has a day {place.number}", "use 1st to 31st, or 'last day'"
        )
    return MonthDay(place.number)


def _dated(words: Words) -> bool:
    """Whether `24 December`, `24th of December` or `December 24` comes next."""
    first, second = words.peek(), words.peek(1)
    if first.lower in MONTH_NUMBERS:
        return day_number(second) is not None
    month = words.peek(2) if second.lower == "of" else second
    return day_number(first) is not None and month.lower in MONTH_NUMBERS


def _date_of_year(words: Words) -> MonthDay:
    first = words.take()
    words.accept("of")
    second = words.take()
    named, numbered = (first, second) if first.lower in MONTH_NUMBERS else (second, first)
    month = MONTH_NUMBERS[named.lower]
    return MonthDay(_possible(day_number(numbered) or 0, month, first, words), month)


def _possible(day: int, month: int, word: Word, words: Words) -> int:
    """The day, where the month has it in a leap year."""
    if day != LAST and not 1 <= day <= monthrange(2000, month)[1]:
        raise words.error(word, "on", f"{MONTHS[month - 1].title()} has no day {day}")
    return day


def _weekdays_of(word: Word) -> tuple[int, ...] | None:
    if word.lower in _GROUPS:
        return _GROUPS[word.lower]
    if word.lower in WEEKDAY_NUMBERS:
        return (WEEKDAY_NUMBERS[word.lower],)
    match = _RANGE.fullmatch(word.lower)
    if match and match[1] in WEEKDAY_NUMBERS and match[2] in WEEKDAY_NUMBERS:
        return _span(WEEKDAY_NUMBERS[match[1]], WEEKDAY_NUMBERS[match[2]])
    return None


def _span(first: int, last: int) -> tuple[int, ...]:
    """The weekdays from one to another, over the weekend if need be."""
    return tuple((first + step) % 7 for step in range((last - first) % 7 + 1))
