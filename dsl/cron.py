"""Cron text: five fields or a name such as `@daily`, read strictly, so that it means what it seems to."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

from dsl.problems import Problem, did_you_mean
from dsl.recurrence import MONTHS, WEEKDAYS
from dsl.words import PhraseError

NAMES: Mapping[str, str] = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_ANY = datetime(2026, 1, 1, tzinfo=UTC)  # where cronsim would begin; it is asked for its fields only
_WORD = re.compile(r"\S+")
_DIGITS = r"[\d*?][\d*/,?LW#-]*"
_LETTERS = r"[\w*?][\w*/,?#-]*"
# Three fields of digits, then two that may be names: no other phrase begins like that.
_BEGIN = re.compile(
    rf"\s*(?P<cron>cron\s+)?(?P<text>@\w+|{_DIGITS}\s+{_DIGITS}\s+(?:{_DIGITS}|L|LW)\s+{_LETTERS}\s+{_LETTERS})(?=\s|$)",
    re.ASCII | re.IGNORECASE,
)
_STARTS = re.compile(r"\s*(cron\b|@|\*|(CRON_)?TZ=)", re.IGNORECASE)
_DAYS = r"(?:mon|tue|wed|thu|fri|sat|sun)\w*(?:[-,]\w+)*"
_MORE = re.compile(rf"\s+({_DIGITS}|{_DAYS})(?!\s+times?\b)(?=\s|$)", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,4}", re.ASCII)
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SECONDS = "cron text knows no seconds; write 'every 10 seconds' or 'every day at 09:00:30'"


@dataclass(frozen=True)
class _Field:
    """One of the five fields: what it counts, from where to where, and the names of its values."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()  # of the values from `low` on

    def values(self) -> str:
        return f"{self.name}s go from {self.low} to {self.high}"


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, tuple(month[:3] for month in MONTHS)),
    _Field("day of week", 0, 7, tuple(day[:3] for day in (WEEKDAYS[6], *WEEKDAYS[:6]))),
)


@dataclass(frozen=True)
class _Part:
    """A piece of cron text and the column where it begins."""

    text: str
    column: int

    def error(self, what: str, hint: str = "") -> PhraseError:
        return PhraseError(Problem("cron", what, hint, column=self.column))

    def split(self, separator: str) -> Iterator["_Part"]:
        column = self.column
        for text in self.text.split(separator):
            yield _Part(text, column)
            column += len(text) + len(separator)


def five_fields(text: str) -> str:
    """Cron text without names such as `@daily`."""
    return NAMES.get(text, text)


def begins_cron(text: str) -> bool:
    """Whether a phrase begins as cron text does, even as wrong one."""
    return bool(_BEGIN.match(text) or _STARTS.match(text))


def read_cron(text: str) -> tuple[str, int]:
    """The cron text that a phrase begins with, and where it ends; raises `PhraseError`."""
    match = _BEGIN.match(text)
    if match is None:
        raise _not_five(text)
    column = match.start("text") + 1
    if match["text"].startswith("@"):
        return _named(_Part(match["text"], column)), match.end()
    if more := _MORE.match(text, match.end()):
        raise _Part(more[1], more.start(1) + 1).error("cron text has five fields", _SECONDS)
    fields = [_Part(word[0], column + word.start()) for word in _WORD.finditer(match["text"])]
    for part, field in zip(fields, _FIELDS, strict=True):
        for term in part.split(","):
            _check_term(term, field)
    _check_days(fields)
    normal = " ".join(field.text for field in fields)
    try:
        CronSim(normal, _ANY)
    except CronSimError as error:
        raise _Part("", column).error(str(error)) from None
    return normal, match.end()


def _not_five(text: str) -> PhraseError:
    words = [_Part(word[0], word.start() + 1) for word in _WORD.finditer(text)]
    words = words[1:] if words and words[0].text.lower() == "cron" else words
    if words and "=" in words[0].text:
        return words[0].error("cron text names no time zone", "write it in 'timezone', or behind the fields")
    column = words[-1].column if words else len(text) + 1
    hint = "minute, hour, day of month, month and day of week, such as '0 9 * * 1-5'"
    return _Part("", column).error("cron text has five fields", hint)


def _named(part: _Part) -> str:
    name = part.text.lower()
    if name in NAMES:
        return name
    if name == "@reboot":
        raise part.error("'@reboot' is no time", "trigger the schedule by hand")
    if name == "@every":
        raise part.error("'@every' is not cron", "write 'every', such as 'every 5 minutes'")
    hint = did_you_mean(name, NAMES) or f"there are {', '.join(NAMES)}"
    raise part.error(f"there is no '{part.text[:40]}'", hint)


def _check_term(term: _Part, field: _Field) -> None:
    if not term.text:
        raise term.error("a value is missing", field.values())
    if "?" in term.text:
        raise term.error("'?' is not cron", "write '*'")
    base, *steps = term.split("/")
    low, high = _check_base(base, field, has_step=bool(steps))
    if len(steps) > 1:
        raise steps[1].error("there are two steps", f"such as '{base.text}/{steps[0].text}'")
    for step in steps:
        if not _NUMBER.fullmatch(step.text) or not int(step.text):
            raise step.error(f"'{step.text[:40]}' is no step", "a step is a number above zero")
        if int(step.text) > high - low:
            what = f"a step of {step.text} goes beyond {low} to {high}"
            hint = f"it would fire at {low} only; write 'every {step.text} {field.name}s', which counts on"
            raise step.error(what, hint if field.name in {"minute", "hour"} else f"it would be {low} only")


def _check_base(base: _Part, field: _Field, *, has_step: bool) -> tuple[int, int]:
    """The lowest and the highest value that a term without its step allows."""
    if base.text == "*":
        return field.low, field.high
    if _is_special(base, field):
        if has_step:
            raise base.error(f"'{base.text}' takes no step")
        return field.low, field.high
    ends = list(base.split("-"))
    numbers = [_value(end, field) for end in ends[:2]]
    if len(ends) > 2:
        raise ends[2].error(f"'{base.text[:40]}' is no range", "such as '1-5'")
    if len(numbers) == 1:
        return numbers[0], field.high if has_step else numbers[0]
    if numbers[1] < numbers[0]:
        hint = f"write '{ends[0].text}-{field.high},{field.low}-{ends[1].text}'"
        raise base.error(f"the range '{base.text}' runs backwards", hint)
    return numbers[0], numbers[1]


def _is_special(base: _Part, field: _Field) -> bool:
    """Whether it is `L` or `LW` of a month, `5L` (the last Friday) or `5#2` (the second)."""
    text = base.text.upper()
    if field.name == "day of month":
        if re.fullmatch(r"L-\d+|\d+W", text):
            hint = "write a rule such as 'every month on the last business day'"
            raise base.error(f"'{base.text[:40]}' is not supported", hint)
        return text in {"L", "LW"}
    if field.name != "day of week":
        return False
    if "#" in text:
        day, nth = base.split("#") if text.count("#") == 1 else (base, base)
        _value(day, field)
        if nth.text not in {"1", "2", "3", "4", "5"}:
            raise nth.error(f"no month has a '{nth.text[:40]}' one", "such as '5#2', the second Friday")
        return True
    if text.endswith("L"):
        if not re.fullmatch(r"[0-7]L", text):
            raise base.error(
                f"'{base.text[:40]}' is not cron", "write the day as a number, such as '5L', the last Friday"
            )
        return True
    return False


def _value(part: _Part, field: _Field) -> int:
    name = part.text.lower()
    if name in field.names:
        return field.low + field.names.index(name)
    if not _NUMBER.fullmatch(part.text):
        hint = did_you_mean(name, field.names) or field.values()
        raise part.error(f"no {field.name} '{part.text[:40]}'", hint)
    if not field.low <= int(part.text) <= field.high:
        raise part.error(f"no {field.name} {part.text}", field.values())
    return int(part.text)


def _check_days(fields: list[_Part]) -> None:
    """Two kinds of days mean either of them to one cron and both to another; and some are in no month."""
    _, _, days, months, weekdays = fields
    if days.text != "*" and weekdays.text != "*":
        what = "a day of month and a day of week together"
        raise weekdays.error(what, "some crons fire on either, some on both; write two rules")
    numbers = [int(number) for number in re.findall(r"(?<!/)\b\d+", days.text)]
    if "L" in days.text.upper() or not numbers:
        return
    longest = max(_LENGTHS[number - 1] for number in CronSim(f"0 0 * {months.text} *", _ANY).months)
    if min(numbers) > longest:
        what = f"never fires: no month that is given has a day {min(numbers)}"
        raise days.error(what, f"the longest has {longest} days")
