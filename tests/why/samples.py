"""What is known about a schedule of the tests, to be changed a little."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cronny.scheduling import compile_schedule
from cronny.scheduling.datesets import Dates
from cronny.store.tables import TriggerRow, TriggerState
from cronny.why import Facts, Mark, Past, Version, read_asked
from dsl.schedule import Schedule
from dsl.zones import zone

RULE = "every week on monday at 09:00 Europe/London"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
CREATED = datetime(2026, 1, 1, tzinfo=UTC)
HOLIDAYS = {"holidays": Dates(frozenset({MONDAY.date()}))}
MS = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def version(rule: Any = RULE, since: Mark | None = None, **changes: Any) -> Version:
    schedule = Schedule.model_validate(rule)
    begun = since or Mark(CREATED, "ada")
    return Version(schedule, compile_schedule(schedule, begun.at), begun.at, begun, **changes)


def closed(only: list[str] | None = None) -> Version:
    """The rule of a Monday with a calendar whose only day is a Monday."""
    named = {"only": only} if only else {"except": ["holidays"]}
    written = {
        "every": "week",
        "on": "monday",
        "at": "09:00",
        "timezone": "Europe/London",
        "calendars": named,
    }
    schedule = Schedule.model_validate(written)
    return Version(schedule, compile_schedule(schedule, CREATED, HOLIDAYS), CREATED, Mark(CREATED, "ada"))


def facts(at: str = "2026-11-23 09:00", *versions: Version, **changes: Any) -> Facts:
    """All fires up to now are in the ledger, which is empty."""
    known = versions or (version(),)
    asked = read_asked(at, zone(known[-1].schedule.timezone))
    past = Past(known, changes.pop("pauses", ()))
    plain = Facts(asked=asked, now=NOW, past=past, cursor=NOW, retention=timedelta(days=365))
    return replace(plain, **changes)


def row(state: str = "completed", reason: str = "", **changes: Any) -> TriggerRow:
    """The fire of a Monday; it began 12 ms late and took 0.3 s."""
    fields: dict[str, Any] = {
        "id": "trg_1", "tenant_id": "ten_1", "action_id": "act_1", "action_version": 1,
        "schedule_id": "sch_1",
        "due": MONDAY, "planned": MONDAY, "state": TriggerState(state), "reason": reason, "inputs": {},
        "allocated_at": MONDAY - 5 * SECOND, "started_at": MONDAY + 12 * MS, "finished_at": MONDAY + 312 * MS,
        **changes,
    }  # fmt: skip
    return TriggerRow(**fields)
