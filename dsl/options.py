"""What stands beside the rule of a schedule: each option, its value, and how it is read."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, get_args

from dsl.durations import format_duration, parse_duration
from dsl.problems import Problem, did_you_mean

CatchupMode = Literal["all", "last", "none", "ask"]
Overlap = Literal["skip", "queue_one", "queue_all", "cancel_running", "kill_running", "allow"]
Roll = Literal["skip", "next", "previous", "modified_following"]

MOST_FIRES = 100_000  # that `count` may ask for, and that a catch-up may run
LONGEST = timedelta(days=366)  # of the options that are a duration
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "dst_gap": ("next", "skip"),
    "dst_overlap": ("first", "last", "both"),
    "overlap": get_args(Overlap),
    "complete_on": ("finish", "start"),
}
_ID = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
CALENDAR_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}", re.ASCII)


@dataclass(frozen=True)
class Catchup:
    """Which fires are caught up that were missed: of the last `window` only, and `cap` at the most."""

    mode: CatchupMode = "all"
    window: timedelta | None = None
    cap: int | None = None

    def to_json(self) -> str | dict[str, str | int]:
        """The mode alone where there is nothing else."""
        more: dict[str, str | int] = {}
        if self.window is not None:
            more["window"] = format_duration(self.window)
        if self.cap is not None:
            more["cap"] = self.cap
        return {"mode": self.mode, **more} if more else self.mode


@dataclass(frozen=True)
class Calendars:
    """The names of the calendars whose days are wanted or left out, and where a day that is none goes."""

    only: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    roll: Roll = "skip"

    def to_json(self) -> dict[str, str | list[str]]:
        """The structured form, in which `excluded` is called `except`."""
        fields: dict[str, str | list[str]] = {}
        if self.only:
            fields["only"] = list(self.only)
        if self.excluded:
            fields["except"] = list(self.excluded)
        return fields if self.roll == "skip" else {**fields, "roll": self.roll}


class OptionError(ValueError):
    """The value of an option is not one that it can have."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("; ".join(problem.what for problem in problems))


def read_options(given: Mapping[object, object]) -> tuple[dict[str, object], list[Problem]]:
    """The typed options that are given, and the problems of those that are wrong."""
    options: dict[str, object] = {}
    problems: list[Problem] = []
    for name, read in OPTIONS.items():
        if given.get(name) is None:
            continue
        try:
            options[name] = read(name, given[name])
        except OptionError as error:
            problems += error.problems
    return options, problems


def _choice(name: str, value: object, choices: Iterable[str] | None = None) -> object:
    known = tuple(choices or _CHOICES[name])
    if value in known:
        return value
    hint = did_you_mean(str(value).lower()[:40], known)
    raise OptionError(Problem(name, "must be one of " + ", ".join(known), hint))


def _id(name: str, value: object) -> object:
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    what = "an id begins with a letter and has lower-case letters, digits and '_'"
    raise OptionError(Problem(name, what, "at most 63 characters"))


def _boolean(name: str, value: object) -> object:
    if isinstance(value, bool):
        return value
    raise OptionError(Problem(name, "must be true or false"))


def _inputs(name: str, value: object) -> object:
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return value
    raise OptionError(Problem(name, "must be a mapping of names to values"))


def _number(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise OptionError(Problem(name, "must be a whole number"))
    if not 1 <= value <= MOST_FIRES:
        raise OptionError(Problem(name, f"must be from 1 to {MOST_FIRES}"))
    return value


def _duration(name: str, value: object) -> timedelta:
    duration = value if isinstance(value, timedelta) else _parsed(name, value)
    if duration > LONGEST:
        raise OptionError(Problem(name, "must not be longer than a year"))
    return duration


def _positive(name: str, value: object) -> timedelta:
    duration = _duration(name, value)
    if not duration:
        raise OptionError(Problem(name, "must be above zero"))
    return duration


def _parsed(name: str, value: object) -> timedelta:
    if not isinstance(value, str):
        unit = f"; write it like {value}s or {value}m" if isinstance(value, int | float) else ""
        raise OptionError(Problem(name, "must be a duration", unit.removeprefix("; ") or "such as '30s'"))
    try:
        return parse_duration(value)
    except ValueError as error:
        what, _, hint = str(error).partition("; ")
        raise OptionError(Problem(name, what, hint)) from None


def _catchup(name: str, value: object) -> Catchup:
    if isinstance(value, Catchup):
        return value
    modes = get_args(CatchupMode)
    if not isinstance(value, dict):
        _choice(name, value, modes)
        return Catchup(value)  # type: ignore[arg-type]  # one of the modes, as just checked
    parts = _parts(
        name,
        value,
        {
            "mode": lambda where, mode: _choice(where, mode, modes),
            "window": _positive,
            "cap": _number,
        },
    )
    return Catchup(**parts)  # type: ignore[arg-type]  # each part was read by its reader


def _calendars(name: str, value: object) -> Calendars:
    if isinstance(value, Calendars):
        return value
    if not isinstance(value, dict):
        raise OptionError(Problem(name, "must be a mapping", "such as {except: [uk_holidays]}"))
    rolls = get_args(Roll)
    parts = _parts(
        name,
        value,
        {"only": _names, "except": _names, "roll": lambda where, roll: _choice(where, roll, rolls)},
    )
    if "except" in parts:
        parts["excluded"] = parts.pop("except")
    return Calendars(**parts)  # type: ignore[arg-type]  # each part was read by its reader


def _names(name: str, value: object) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value]
    problems = [
        Problem(
            f"{name}.{index}" if isinstance(value, list) else name,
            "must be the name of a calendar",
            "lower-case letters, digits, '_' and '-'",
        )
        for index, each in enumerate(names)
        if not isinstance(each, str) or not CALENDAR_NAME.fullmatch(each)
    ]
    if problems:
        raise OptionError(*problems)
    return tuple(dict.fromkeys(names))


def _parts(
    name: str, value: dict[object, object], readers: Mapping[str, Callable[[str, object], object]]
) -> dict[str, object]:
    """The fields of a mapping below an option."""
    parts: dict[str, object] = {}
    problems: list[Problem] = []
    for key, each in value.items():
        where = f"{name}.{str(key)[:40]}"
        if key not in readers:
            hint = did_you_mean(str(key)[:40], readers) or f"the fields are {', '.join(readers)}"
            problems.append(Problem(where, "there is no such field", hint, "unknown_field"))
            continue
        try:
            parts[str(key)] = readers[str(key)](where, each)
        except OptionError as error:
            problems += error.problems
    if problems:
        raise OptionError(*problems)
    return parts


OPTIONS: Mapping[str, Callable[[str, object], object]] = {
    "id": _id,
    **dict.fromkeys(_CHOICES, _choice),
    "count": _number,
    "calendars": _calendars,
    "jitter": _duration,
    "spread": _duration,
    "catchup": _catchup,
    "deadline": _positive,
    "pause_after_failures": _number,
    "inputs": _inputs,
    "paused": _boolean,
}
