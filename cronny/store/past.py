"""What has become of a schedule's fires, and what was done to it: what an explanation is made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.errors import NotFound
from cronny.store.owned import require_own
from cronny.store.schedules import MANUAL
from cronny.store.statistics import Statistics, statistics
from cronny.store.tables import (
    EventKind,
    EventRow,
    ScheduleRow,
    StageRow,
    StageState,
    Tenant,
    TriggerRow,
    TriggerState,
)

LIFE = (
    EventKind.SCHEDULE_CREATED,
    EventKind.SCHEDULE_CHANGED,
    EventKind.SCHEDULE_PAUSED,
    EventKind.SCHEDULE_RESUMED,
    EventKind.SCHEDULE_DELETED,
)
MOST = 500  # of the latest events in the life of one schedule


_OWN = col(TriggerRow.backfill_id) == ""  # what the rule made, or somebody asked for


@dataclass(frozen=True)
class Group:
    """The fires of a schedule in some span that are in one state."""

    state: TriggerState
    rows: int
    fires: int
    last: datetime


class Past:
    """The past of one tenant's schedules."""

    def __init__(self, session: AsyncSession, tenant: Tenant) -> None:
        self._session = session
        self._tenant = tenant

    async def schedule(self, name: str) -> ScheduleRow:
        """The schedule of that name, also one that was deleted; raises NotFound."""
        query = select(ScheduleRow).where(
            col(ScheduleRow.tenant_id) == self._tenant.id, col(ScheduleRow.name) == name
        )
        row = (await self._session.execute(query)).scalar_one_or_none()
        if row is None:
            raise NotFound(f"there is no schedule '{name}'")
        return row

    async def life(self, schedule: ScheduleRow) -> Sequence[EventRow]:
        """What people did to a schedule, the earliest first."""
        require_own(self._tenant, schedule)
        query = (
            select(EventRow)
            .where(col(EventRow.schedule_id) == schedule.id, col(EventRow.kind).in_(LIFE))
            .order_by(col(EventRow.at).desc(), col(EventRow.id).desc())
            .limit(MOST)
        )
        return (await self._session.execute(query)).scalars().all()[::-1]

    async def groups(
        self, schedule: ScheduleRow, spans: Sequence[tuple[datetime, datetime]]
    ) -> Sequence[Group]:
        """The fires of the rule within [first, end) spans, by state."""
        query = (
            select(
                col(TriggerRow.state),
                func.count(),
                func.sum(col(TriggerRow.count)),
                func.max(col(TriggerRow.due)),
            )
            .where(_within(schedule, spans), _OWN, col(TriggerRow.generation) > MANUAL)
            .group_by(col(TriggerRow.state))
            .order_by(col(TriggerRow.state))
        )
        return [Group(*row) for row in await self._session.execute(query)]

    async def fire(
        self, schedule: ScheduleRow, spans: Sequence[tuple[datetime, datetime]]
    ) -> TriggerRow | None:
        """The first fire within the spans, one by hand only where there is no other."""
        query = select(TriggerRow).where(_within(schedule, spans), _OWN)
        by_hand = col(TriggerRow.generation) == MANUAL
        query = query.order_by(by_hand, col(TriggerRow.due), col(TriggerRow.id)).limit(1)
        found = (await self._session.execute(query)).scalar_one_or_none()
        return found or await self._range(schedule, spans[0][0])

    async def backfill(
        self, schedule: ScheduleRow, spans: Sequence[tuple[datetime, datetime]]
    ) -> TriggerRow | None:
        """The latest trigger by which a backfill made up for a fire within the spans."""
        query = select(TriggerRow).where(_within(schedule, spans), col(TriggerRow.backfill_id) != "")
        query = query.order_by(col(TriggerRow.allocated_at).desc(), col(TriggerRow.id).desc()).limit(1)
        return (await self._session.execute(query)).scalar_one_or_none()

    async def about(self, trigger: TriggerRow) -> Sequence[EventRow]:
        """What was done about a trigger, the earliest first."""
        require_own(self._tenant, trigger)
        query = select(EventRow).where(col(EventRow.trigger_id) == trigger.id)
        query = query.order_by(col(EventRow.at), col(EventRow.id))
        return (await self._session.execute(query)).scalars().all()

    async def stage(self, trigger: TriggerRow) -> str:
        """A stage that a trigger executes; the empty text if there is none."""
        query = select(col(StageRow.stage_id)).where(
            col(StageRow.trigger_id) == trigger.id, col(StageRow.state) == StageState.STARTED
        )
        query = query.order_by(col(StageRow.started_at), col(StageRow.stage_id)).limit(1)
        return (await self._session.execute(query)).scalar_one_or_none() or ""

    async def before(self, trigger: TriggerRow) -> datetime | None:
        """The due of the latest trigger of the same schedule that executed at the due of this one."""
        ended = col(TriggerRow.finished_at)
        query = (
            select(col(TriggerRow.due))
            .where(
                col(TriggerRow.schedule_id) == trigger.schedule_id,
                col(TriggerRow.due) < trigger.due,
                col(TriggerRow.started_at).is_not(None),
                or_(ended.is_(None), ended >= trigger.planned),
            )
            .order_by(col(TriggerRow.due).desc())
            .limit(1)
        )
        return (await self._session.execute(query)).scalar_one_or_none()

    async def statistics(self, schedule: ScheduleRow, since: datetime, until: datetime) -> Statistics:
        """How well the fires of a range went."""
        require_own(self._tenant, schedule)
        return await statistics(self._session, schedule, since, until)

    async def _range(self, schedule: ScheduleRow, instant: datetime) -> TriggerRow | None:
        """The row that stands for many fires, an instant among them."""
        query = (
            select(TriggerRow)
            .where(col(TriggerRow.schedule_id) == schedule.id, col(TriggerRow.due) < instant)
            .where(_OWN, col(TriggerRow.generation) > MANUAL)
            .order_by(col(TriggerRow.due).desc())
            .limit(1)
        )
        row = (await self._session.execute(query)).scalar_one_or_none()
        return row if row is not None and row.until is not None and row.until >= instant else None


def _within(schedule: ScheduleRow, spans: Sequence[tuple[datetime, datetime]]) -> ColumnElement[bool]:
    due = col(TriggerRow.due)
    places = [and_(due >= first, due < end) for first, end in spans]
    return and_(col(TriggerRow.schedule_id) == schedule.id, or_(*places))
