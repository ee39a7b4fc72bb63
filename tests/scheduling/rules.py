"""Compiled rules and instants, as short as tests want them."""

from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import JsonValue

from cronny.scheduling import Compiled, compile_schedule, upcoming
from dsl.schedule import read_schedule

SAVED = "2026-01-01"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rule(value: JsonValue, saved: str = SAVED) -> Compiled:
    schedule, problems = read_schedule(value)
    assert schedule is not None, problems
    return compile_schedule(schedule, utc(saved))


def fires(value: JsonValue, count: int, after: str = SAVED, saved: str = SAVED) -> list[str]:
    """The first dues after `after` on UTC clocks."""
    return texts(upcoming(rule(value, saved), utc(after), count))


def texts(instants: Iterable[datetime]) -> list[str]:
    return [_text(each) for each in instants]


def _text(instant: datetime) -> str:
    text = instant.isoformat(timespec="minutes")
    assert text.endswith("+00:00")
    return text.removesuffix("+00:00").removesuffix("T00:00")
