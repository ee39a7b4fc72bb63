"""Amounts of time in a phrase: `5 minutes`, `1h20m`, `two weeks`, `other month`."""

import re
from dataclasses import dataclass
from datetime import timedelta

from dsl.recurrence import Every, Period, Unit
from dsl.words import Word, Words

_SPELLINGS = {
    "millisecond": "ms msec msecs millisecond milliseconds",
    "second": "s sec secs second seconds",
    "minute": "m min mins minute minutes",
    "hour": "h hr hrs hour hours",
    "day": "d day days",
    "week": "w wk wks week weeks",
    "fortnight": "fortnight fortnights",
    "month": "mo month months",
    "year": "y yr yrs year years",
}
UNIT_WORDS = {word: unit for unit, words in _SPELLINGS.items() for word in words.split()}
_UNITS_KNOWN = [word for word in UNIT_WORDS if len(word) > 4] + ["day", "days", "week", "hour", "year"]
_NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
NUMBER_WORDS = {word: number for number, word in enumerate(_NUMBERS, 1)} | {
    **{"a": 1, "an": 1, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "sixty": 60, "ninety": 90}
}
_COMPACT = re.compile(r"(\d+)([^\W\d]+)")
_CLOCK = {
    "millisecond": timedelta(milliseconds=1),
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "fortnight": timedelta(weeks=2),
}
_STEPS: dict[str, tuple[int, Unit]] = {
    "day": (1, "day"),
    "week": (1, "week"),
    "fortnight": (2, "week"),
    "month": (1, "month"),
    "year": (1, "year"),
}
_DAYS = {"day": 1, "week": 7, "month": 31, "year": 366}
_LONGEST = timedelta(days=36600)  # a hundred years: beyond it a rule is a slip of the keyboard
_DIGITS = 12  # more than that cannot be an amount below the longest, in any unit


@dataclass(frozen=True)
class Amount:
    """A number of one unit, and the word where it begins."""

    number: int
    unit: str
    word: Word


def begins_amount(words: Words) -> bool:
    """Whether an amount comes next."""
    word = words.peek()
    if _is_compact(word):
        return all(unit in UNIT_WORDS for _, unit in _COMPACT.findall(word.lower))
    return (_is_number(word) or word.lower in NUMBER_WORDS) and words.peek(1).lower in UNIT_WORDS


def read_amounts(words: Words, where: str) -> list[Amount]:
    """One amount or more, joined by spaces, commas or `and`; a unit alone stands for one of it."""
    amounts = _one_or_more(words, where)
    while begins_amount(words) or words.continues(begins_amount):
        amounts += _one_or_more(words, where)
    return amounts


def repeated(amounts: list[Amount], words: Words) -> Every:
    """What `every` followed by these amounts means: calendar units alone, or an interval."""
    first = amounts[0]
    if len(amounts) == 1 and first.unit in _STEPS:
        factor, unit = _STEPS[first.unit]
        return _checked_period(Period(first.number * factor, unit), first.word, words)
    interval = total(amounts, words, "every")
    if interval < timedelta(seconds=1):
        what = "an interval must be above zero" if not interval else "an interval is at least 1 second"
        raise words.error(first.word, "every", what)
    return interval


def total(amounts: list[Amount], words: Words, where: str) -> timedelta:
    """The elapsed time of all amounts together; a day counts 24 hours."""
    result = timedelta()
    for amount in amounts:
        if amount.unit not in _CLOCK:
            hint = "write days or hours" if where == "at" else "give it alone, such as 'every 2 months'"
            raise words.error(amount.word, where, f"the length of a {amount.unit} varies", hint)
        result += min(amount.number * _CLOCK[amount.unit], _LONGEST * 2)
        if result > _LONGEST:
            raise words.error(amount.word, where, "longer than a hundred years")
    if result.microseconds:
        raise words.error(amounts[-1].word, where, "times are whole seconds")
    return result


def _one_or_more(words: Words, where: str) -> list[Amount]:
    word = words.take()
    if _is_compact(word):
        return _compact(word, words, where)
    if word.lower in UNIT_WORDS and where == "at":
        raise words.error(word, where, "the number is missing", f"such as 'in 10 {word.text}'")
    if word.lower in UNIT_WORDS:
        return [Amount(1, UNIT_WORDS[word.lower], word)]
    number = _number(word, words, where)
    unit = words.take()
    if unit.lower not in UNIT_WORDS:
        hint = "say the unit, such as 'minutes'"
        raise words.unknown(unit, where, "unit of time", _UNITS_KNOWN, hint)
    return [Amount(number, UNIT_WORDS[unit.lower], word)]


def _compact(word: Word, words: Words, where: str) -> list[Amount]:
    """`1h20m` as its parts, each with its own column."""
    amounts = []
    for match in _COMPACT.finditer(word.lower):
        part = Word(match[2], match[2], word.column + match.start(2))
        if match[2] not in UNIT_WORDS:
            raise words.unknown(part, where, "unit of time", _UNITS_KNOWN, "units are s, m, h, d and w")
        number = Word(match[1], match[1], word.column + match.start())
        amounts.append(Amount(_number(number, words, where), UNIT_WORDS[match[2]], number))
    return amounts


def _number(word: Word, words: Words, where: str) -> int:
    if word.lower in NUMBER_WORDS:
        return NUMBER_WORDS[word.lower]
    if _is_number(word):
        if len(word.text) > _DIGITS:
            raise words.error(word, where, "longer than a hundred years")
        return int(word.text)
    if re.fullmatch(r"[-+]?\d*[.]?\d+", word.text, re.ASCII):
        if word.text[0] == "-":
            thing = "a delay" if where == "at" else "an interval"
            raise words.error(word, where, f"{thing} must be above zero")
        hint = "such as '1 hour 30 minutes'"
        raise words.error(word, where, f"{word.shown} is not a whole number", hint)
    raise words.unknown(word, where, "unit of time", _UNITS_KNOWN, "write it such as '5 minutes'")


def _checked_period(period: Period, word: Word, words: Words) -> Period:
    if not period.step:
        raise words.error(word, "every", "an interval must be above zero")
    if period.step * _DAYS[period.unit] > _LONGEST.days:
        raise words.error(word, "every", "longer than a hundred years")
    return period


def _is_compact(word: Word) -> bool:
    return re.fullmatch(r"(\d+[^\W\d]+)+", word.lower, re.ASCII) is not None


def _is_number(word: Word) -> bool:
    return word.text.isascii() and word.text.isdigit()
