"""How well a schedule's fires went, computed where they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CTE, BigInteger, ColumnElement, and_, case, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import col

from cronny.store.columns import MICROSECOND
from cronny.store.schedules import MANUAL
from cronny.store.tables import ScheduleRow, TriggerRow, TriggerState

MOST = 10_000  # of the latest rows: a schedule of one second has as many in three hours


@dataclass(frozen=True)
class Spread:
    """How long something took: half of the fires, all but one in a hundred, and the slowest."""

    p50: timedelta
    p99: timedelta
    longest: timedelta


@dataclass(frozen=True)
class Statistics:
    """A schedule's fires in some range of dues; those by hand are left out."""

    fires: Mapping[TriggerState, int]
    rows: int
    since: datetime | None  #: The first due that was looked at.
    lateness: Spread | None
    duration: Spread | None
    last_failure: str | None  #: The id of the latest trigger that failed.

    @property
    def is_whole(self) -> bool:
        """Whether all rows of the range were looked at."""
        return self.rows < MOST

    @property
    def success_rate(self) -> float | None:
        """The part of the executed fires that completed."""
        completed, failed = (
            self.fires.get(state, 0) for state in (TriggerState.COMPLETED, TriggerState.FAILED)
        )
        return completed / (completed + failed) if completed or failed else None


async def statistics(
    session: AsyncSession, schedule: ScheduleRow, since: datetime, until: datetime
) -> Statistics:
    """The fires due from `since` until just before `until`, the latest `MOST` rows of them at the most."""
    sample = _sample(schedule, since, until)
    groups = select(sample.c.state, func.count(), func.sum(sample.c.count), func.min(sample.c.due))
    found = (await session.execute(groups.group_by(sample.c.state))).all()
    failed = select(sample.c.id).where(sample.c.state == TriggerState.FAILED)
    failed = failed.order_by(sample.c.due.desc()).limit(1)
    return Statistics(
        fires={state: fires for state, _, fires, _ in found},
        rows=sum(rows for _, rows, _, _ in found),
        since=min((first for _, _, _, first in found), default=None),
        lateness=await _spread(session, sample, sample.c.late),
        duration=await _spread(session, sample, sample.c.took),
        last_failure=(await session.execute(failed)).scalar_one_or_none(),
    )


def _sample(schedule: ScheduleRow, since: datetime, until: datetime) -> CTE:
    # One that completes on start has not run its action by then.
    has_run = and_(
        col(TriggerRow.state).in_((TriggerState.COMPLETED, TriggerState.FAILED)),
        col(TriggerRow.reason) != "started",
    )
    took = _micros(col(TriggerRow.finished_at)) - _micros(col(TriggerRow.started_at))
    columns: tuple[Any, ...] = (
        col(TriggerRow.id),
        col(TriggerRow.state),
        col(TriggerRow.count),
        col(TriggerRow.due),
        (_micros(col(TriggerRow.started_at)) - _micros(col(TriggerRow.planned))).label("late"),
        case((has_run, took)).label("took"),
    )
    query = select(*columns).where(
        col(TriggerRow.schedule_id) == schedule.id,
        col(TriggerRow.generation) > MANUAL,
        col(TriggerRow.backfill_id) == "",
        col(TriggerRow.due) >= since,
        col(TriggerRow.due) < until,
    )
    return query.order_by(col(TriggerRow.due).desc()).limit(MOST).cte("sample")


def _micros(instant: Mapped[datetime] | Mapped[datetime | None]) -> ColumnElement[int]:
    return type_coerce(instant, BigInteger)


async def _spread(session: AsyncSession, sample: CTE, value: ColumnElement[int]) -> Spread | None:
    """Nearest ranks: SQLite knows no percentiles."""
    place = func.row_number().over(order_by=value).label("place")
    total = func.count().over().label("total")
    ranked = select(value.label("value"), place, total).where(value.is_not(None)).subquery()
    p50, p99, longest = [
        func.min(case((ranked.c.place * 100 >= ranked.c.total * part, ranked.c.value)))
        for part in (50, 99, 100)
    ]
    found = (await session.execute(select(p50, p99, longest))).one()
    if found[0] is None:
        return None
    return Spread(found[0] * MICROSECOND, found[1] * MICROSECOND, found[2] * MICROSECOND)
