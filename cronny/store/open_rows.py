"""The rows of the ledger that are under way or wait for others, as claims and ends see them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import col

from cronny.store.claims import Execution
from cronny.store.tables import IS_OPEN, ActionRow, ScheduleRow, Tenant, TriggerRow, TriggerState

# The reasons of a scheduled trigger that waits for others.
QUEUED = "queued"  # for those of its schedule: its overlap says so
NO_PLACE = "concurrency"  # for those of its action, of the same key
TENANT_FULL = "tenant_limit"  # for any of its tenant
WAITING = (QUEUED, NO_PLACE, TENANT_FULL)

MOST_TOLD = 50  # by one end: each of them is a signal that its workflow sends; they tell the others in turn

KEPT = (  # what a claim may change of a row
    "state", "reason", "run_id", "started_at", "finished_at", "is_guarded", "concurrency_limit",
    "concurrency_key",
)  # fmt: skip
# In the words of their indexes: neither database recognises them when the values are parameters.
_OPEN = text(f"({IS_OPEN})")
_IS_LIMITED = (text("is_guarded"), _OPEN)
_GROUP: tuple[Mapped[str], Mapped[str | None]] = (col(TriggerRow.action_id), col(TriggerRow.concurrency_key))
_OF_TENANT: tuple[Mapped[str]] = (col(TriggerRow.tenant_id),)


@dataclass
class OpenRow:
    """A ledger row as claims see it; what they change is written at their end."""

    id: str
    tenant_id: str
    action_id: str
    action_version: int
    schedule_id: str | None
    workflow_id: str
    planned: datetime
    start_by: datetime | None
    generation: int
    overlap: str
    complete_on: str
    state: TriggerState
    reason: str
    run_id: str
    started_at: datetime | None
    finished_at: datetime | None
    is_guarded: bool
    concurrency_limit: int | None
    concurrency_key: str | None
    parent_id: str
    webhook: str

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for others."""
        return self.state is TriggerState.SCHEDULED and self.reason in WAITING

    @property
    def is_running(self) -> bool:
        """Whether it has been claimed and not ended."""
        return self.state is TriggerState.EXECUTING

    @property
    def place(self) -> tuple[datetime, str]:
        """Its place among those that wait."""
        return self.planned, self.id

    @property
    def group(self) -> tuple[str, str] | None:
        """Which triggers of its action it is counted with, if they are limited."""
        return None if self.concurrency_key is None else (self.action_id, self.concurrency_key)

    @property
    def execution(self) -> Execution:
        """The workflow run that executes it."""
        return Execution(self.workflow_id, self.run_id)

    @property
    def _origin(self) -> str:
        """Its reason once it executes: what it waited for counts no longer, who asked for it does."""
        if self.reason not in WAITING:
            return self.reason
        if self.generation:
            return ""
        return "webhook" if self.webhook else "action" if self.parent_id else "manual"

    def begin(self, run_id: str, now: datetime) -> None:
        """Let a run execute it."""
        self.run_id, self.started_at, self.reason = run_id, now, self._origin
        self.state = TriggerState.EXECUTING
        if self.complete_on == "start":
            self.state, self.reason, self.finished_at = TriggerState.COMPLETED, "started", now

    def end(self, state: TriggerState, reason: str, now: datetime) -> None:
        """Settle it."""
        self.state, self.reason, self.finished_at = state, reason, now


@dataclass(frozen=True)
class Held:
    """What is locked for the sake of some triggers."""

    limits: Mapping[str, int]  #: How many triggers may execute at once, by tenant, where that is limited.
    actions: Sequence[str]
    schedules: Sequence[str]


async def hold(
    session: AsyncSession, tenants: Collection[str], actions: Collection[str], schedules: Iterable[str | None]
) -> Held:
    """Lock tenants that are limited, actions and schedules, in this order and each by their ids.

    Whatever else locks several of them does so in the same order.
    """
    limit = col(Tenant.limit_running_triggers)
    query = select(col(Tenant.id), limit).where(col(Tenant.id).in_(sorted(tenants)), limit.is_not(None))
    query = query.order_by(col(Tenant.id)).with_for_update(key_share=True)
    found = await session.execute(query) if tenants else ()
    limits = {row[0]: row[1] for row in found if row[1] is not None}
    if actions:
        locked = select(col(ActionRow.id)).where(col(ActionRow.id).in_(sorted(actions)))
        await session.execute(locked.order_by(col(ActionRow.id)).with_for_update(key_share=True))
    return Held(limits, sorted(actions), await lock_schedules(session, schedules))


async def lock_schedules(session: AsyncSession, ids: Iterable[str | None]) -> list[str]:
    """Lock schedules in the order of their ids; the ids of those there are."""
    wanted = sorted({one for one in ids if one is not None})
    query = select(col(ScheduleRow.id)).where(col(ScheduleRow.id).in_(wanted)).order_by(col(ScheduleRow.id))
    found = await session.execute(query.with_for_update(key_share=True)) if wanted else ()
    return [row.id for row in found]


async def locked_rows(session: AsyncSession, ids: Sequence[str]) -> dict[str, OpenRow]:
    """The rows of these ids, locked."""
    query = select(*_columns()).where(col(TriggerRow.id).in_(ids)).order_by(col(TriggerRow.id))
    found = await session.execute(query.with_for_update(key_share=True))
    return {row.id: OpenRow(*row) for row in found}


async def open_of_schedules(session: AsyncSession, schedules: Sequence[str]) -> dict[str, OpenRow]:
    """The rows of schedules that have not ended and have begun, or wait."""
    query = select(*_columns()).where(col(TriggerRow.schedule_id).in_(schedules), _OPEN)
    return {row.id: OpenRow(*row) for row in await session.execute(query)} if schedules else {}


async def open_of_limited(session: AsyncSession, tenants: Collection[str], held: Held) -> dict[str, OpenRow]:
    """What executes of limited actions, and the first of what waits for that, or for others of its tenant.

    Of thousands that wait, those that come after as many as may execute at once make no difference.
    """
    found: dict[str, OpenRow] = {}
    if held.actions:
        of_actions = col(TriggerRow.tenant_id).in_(sorted(tenants)) & col(TriggerRow.action_id).in_(
            held.actions
        )
        executing = col(TriggerRow.state) == TriggerState.EXECUTING
        query = select(*_columns()).where(*_IS_LIMITED, of_actions, executing)
        found |= {row.id: OpenRow(*row) for row in await session.execute(query)}
        most = col(TriggerRow.concurrency_limit)
        found |= await _first(session, (NO_PLACE, TENANT_FULL), _GROUP, of_actions, most)
    if held.limits:
        of_tenants = col(TriggerRow.tenant_id).in_(sorted(held.limits))
        found |= await _first(session, (TENANT_FULL,), _OF_TENANT, of_tenants, max(held.limits.values()))
    return found


async def first_without_place(
    session: AsyncSession, tenants: Collection[str], actions: Collection[str]
) -> list[OpenRow]:
    """What waits for a place of these actions, in order, of each key as many as are told at once."""
    if not actions:
        return []
    where = col(TriggerRow.tenant_id).in_(sorted(tenants)) & col(TriggerRow.action_id).in_(sorted(actions))
    found = await _first(session, (NO_PLACE,), _GROUP, where, MOST_TOLD)
    return sorted(found.values(), key=lambda row: row.place)


async def first_of_full(session: AsyncSession, limits: Mapping[str, int]) -> list[OpenRow]:
    """What waits for others of its tenant, in order, of each tenant as many as are told at once."""
    if not limits:
        return []
    where = col(TriggerRow.tenant_id).in_(sorted(limits))
    found = await _first(session, (TENANT_FULL,), _OF_TENANT, where, MOST_TOLD)
    return sorted(found.values(), key=lambda row: row.place)


async def running_in_groups(
    session: AsyncSession, tenants: Collection[str], actions: Collection[str]
) -> dict[tuple[str, str], tuple[int, int]]:
    """How many execute of each action and key, and the largest limit among them."""
    if not actions:
        return {}
    query = select(*_GROUP, func.count(), func.max(col(TriggerRow.concurrency_limit))).where(
        *_IS_LIMITED,
        col(TriggerRow.tenant_id).in_(sorted(tenants)),
        col(TriggerRow.action_id).in_(sorted(actions)),
        col(TriggerRow.state) == TriggerState.EXECUTING,
        col(TriggerRow.concurrency_key).is_not(None),
    )
    found = await session.execute(query.group_by(*_GROUP))
    return {(row[0], row[1] or ""): (row[2], row[3] or 0) for row in found}


async def running_of_tenants(session: AsyncSession, tenants: Collection[str]) -> dict[str, int]:
    """How many execute of each tenant."""
    if not tenants:
        return {}
    query = select(col(TriggerRow.tenant_id), func.count()).where(
        *_IS_LIMITED,
        col(TriggerRow.tenant_id).in_(sorted(tenants)),
        col(TriggerRow.state) == TriggerState.EXECUTING,
    )
    found = await session.execute(query.group_by(col(TriggerRow.tenant_id)))
    return {row[0]: row[1] for row in found}


async def _first(
    session: AsyncSession,
    reasons: Sequence[str],
    within: Sequence[Mapped[Any]],
    where: ColumnElement[bool],
    most: object,
) -> dict[str, OpenRow]:
    """The first that wait for one of these reasons, `most` within each of some columns' values."""
    order = (col(TriggerRow.planned), col(TriggerRow.id))
    turn = func.row_number().over(partition_by=within, order_by=order).label("turn")
    ranked = (
        select(col(TriggerRow.id).label("of"), turn)
        .where(*_IS_LIMITED, where, col(TriggerRow.reason).in_(reasons))
        .where(col(TriggerRow.state) == TriggerState.SCHEDULED)
        .subquery()
    )
    query = select(*_columns()).join(ranked, ranked.c.of == col(TriggerRow.id)).where(ranked.c.turn <= most)
    return {row.id: OpenRow(*row) for row in await session.execute(query)}


def _columns() -> list[Any]:
    return [col(getattr(TriggerRow, name)) for name in OpenRow.__dataclass_fields__]
