"""Claims that more than their own row decides: overlap and the start deadline.

The schedule's row is locked first, so that its triggers are claimed and settled one after the other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import JsonValue
from sqlalchemy import bindparam, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.scheduling.overlap import Decision, Others, Overlap, Turn, decide
from cronny.store.claims import Claim, Execution, Verdict, VerdictKind, is_of_run, settled, start_claimed
from cronny.store.records import OVERLAP_CANCELLED, fail_open
from cronny.store.tables import IS_OPEN, ScheduleRow, TriggerRow, TriggerState

GUARDED_CHUNK = 500  # guarded claims in one transaction, which holds the rows of their schedules
QUEUED = "queued"  # the reason of a scheduled trigger that waits for others
KILLED: dict[str, JsonValue] = {"code": "cancelled", "message": "a later trigger took its place"}
KEPT = ("state", "reason", "run_id", "started_at", "finished_at")  # what a claim may change of a row


@dataclass
class _Row:
    """A ledger row as claims see it; what they change is written at their end."""

    id: str
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

    @property
    def is_waiting(self) -> bool:
        return self.state is TriggerState.SCHEDULED and self.reason == QUEUED

    @property
    def place(self) -> tuple[datetime, str]:
        return self.planned, self.id

    @property
    def execution(self) -> Execution:
        return Execution(self.workflow_id, self.run_id)

    def begin(self, run_id: str, now: datetime) -> None:
        self.run_id, self.started_at, self.reason = run_id, now, _kept(self.reason)
        self.state = TriggerState.EXECUTING
        if self.complete_on == "start":
            self.state, self.reason, self.finished_at = TriggerState.COMPLETED, "started", now

    def end(self, state: TriggerState, reason: str, now: datetime) -> None:
        self.state, self.reason, self.finished_at = state, reason, now


@dataclass
class _Table:
    """The rows at hand, by id, and the state each had in the database."""

    rows: dict[str, _Row]
    killed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._before = {row.id: self._values(row) for row in self.rows.values()}
        self._of_schedule: dict[str, list[_Row]] = {}
        for row in self.rows.values():
            if row.schedule_id is not None:
                self._of_schedule.setdefault(row.schedule_id, []).append(row)

    def others(self, row: _Row) -> Others:
        """Those of the same schedule that have not ended."""
        same = [one for one in self._of_schedule.get(row.schedule_id or "", ()) if one is not row]
        waiting = sorted((one for one in same if one.is_waiting), key=lambda one: one.place)
        return Others(
            running=[one.id for one in same if one.state is TriggerState.EXECUTING],
            ahead=[one.id for one in waiting if one.place < row.place],
            behind=[one.id for one in waiting if one.place > row.place],
        )

    def changes(self) -> list[dict[str, Any]]:
        """What to write, in the order in which claims lock rows."""
        return [
            {"of_trigger": row.id, "from_state": self._before[row.id]["to_state"], **self._values(row)}
            for row in sorted(self.rows.values(), key=lambda row: row.id)
            if self._values(row) != self._before[row.id]
        ]

    def _values(self, row: _Row) -> dict[str, Any]:
        return {f"to_{name}": getattr(row, name) for name in KEPT}


_CHANGE = (
    update(TriggerRow)
    .where(
        col(TriggerRow.id) == bindparam("of_trigger"),
        col(TriggerRow.state) == bindparam("from_state", type_=TriggerRow.state.type),  # type: ignore[attr-defined]  # a column
    )
    .values({name: bindparam(f"to_{name}", type_=getattr(TriggerRow, name).type) for name in KEPT})
    .execution_options(synchronize_session=False)
)


async def claim_guarded(session: AsyncSession, claims: Sequence[Claim], now: datetime) -> list[Verdict]:
    """Claim guarded triggers for runs, the one planned first before the others; verdicts in order."""
    ids = sorted({wish.trigger_id for wish in claims})
    query = select(col(TriggerRow.schedule_id)).where(col(TriggerRow.id).in_(ids))
    schedules = await lock_schedules(session, (await session.execute(query)).scalars())
    table = _Table(await _rows_of(session, ids, schedules))
    order = sorted(range(len(claims)), key=lambda index: _place(table, claims[index]))
    verdicts = {index: _claim(table, claims[index], now) for index in order}
    await _write(session, table, now)
    answers = [verdicts[index] for index in range(len(claims))]
    await start_claimed(session, claims, answers, now)
    return answers


async def lock_schedules(session: AsyncSession, ids: Iterable[str | None]) -> list[str]:
    """Lock schedules in the order of their ids; the ids of those there are."""
    wanted = sorted({one for one in ids if one is not None})
    query = select(col(ScheduleRow.id)).where(col(ScheduleRow.id).in_(wanted)).order_by(col(ScheduleRow.id))
    found = await session.execute(query.with_for_update(key_share=True)) if wanted else ()
    return [row.id for row in found]


async def first_waiting(session: AsyncSession, schedules: Sequence[str]) -> dict[str, str]:
    """The workflow of the first trigger that waits, by schedule, where none executes."""
    open_rows = (await _open_rows(session, schedules)).values()
    busy = {row.schedule_id for row in open_rows if row.state is TriggerState.EXECUTING}
    first: dict[str, str] = {}
    for row in sorted(open_rows, key=lambda row: row.place):
        if row.schedule_id is not None and row.schedule_id not in busy:
            first.setdefault(row.schedule_id, row.workflow_id)
    return first


def _claim(table: _Table, wish: Claim, now: datetime) -> Verdict:
    row = table.rows.get(wish.trigger_id)
    if row is None:
        return settled("", "unknown_trigger")
    if row.generation != wish.generation:
        return settled(row.state, row.reason)
    if is_of_run(wish, row.state, row.run_id, row.complete_on):
        return Verdict(VerdictKind.RUN, row.state, row.reason)
    if row.state is not TriggerState.SCHEDULED:
        return settled(row.state, row.reason)
    return _claim_scheduled(table, row, wish.run_id, now)


def _claim_scheduled(table: _Table, row: _Row, run_id: str, now: datetime) -> Verdict:
    if row.planned > now:
        return Verdict(VerdictKind.EARLY, row.state, row.reason, planned=row.planned)
    if row.start_by is not None and now > row.start_by:
        row.end(TriggerState.MISSED, "deadline", now)
        return Verdict(VerdictKind.SKIP, row.state, row.reason)
    decision = decide(Overlap(row.overlap), table.others(row), row.is_waiting)
    return _follow(table, row, decision, run_id, now)


def _follow(table: _Table, row: _Row, decision: Decision, run_id: str, now: datetime) -> Verdict:
    cancelled = [table.rows[one] for one in decision.cancel]
    killed = [table.rows[one] for one in decision.kill]
    for one in cancelled:
        one.reason = OVERLAP_CANCELLED
    for one in killed:
        one.end(TriggerState.CANCELLED, "overlap_killed", now)
        table.killed.add(one.id)
    for name in decision.leave_out:
        table.rows[name].end(TriggerState.SKIPPED, "overlap", now)
    match decision.turn:
        case Turn.SKIP:
            row.end(TriggerState.SKIPPED, "overlap", now)
            return Verdict(VerdictKind.SKIP, row.state, row.reason)
        case Turn.QUEUE:
            row.reason = QUEUED
            cancel = tuple(one.execution for one in cancelled)
            return Verdict(VerdictKind.QUEUE, row.state, row.reason, cancel=cancel)
    row.begin(run_id, now)
    kill = tuple(one.execution for one in killed)
    return Verdict(VerdictKind.RUN, row.state, row.reason, kill=kill)


async def _rows_of(session: AsyncSession, ids: Sequence[str], schedules: Sequence[str]) -> dict[str, _Row]:
    """The rows of these ids, locked, and the others of their schedules that have not ended."""
    query = select(*_columns()).where(col(TriggerRow.id).in_(ids)).order_by(col(TriggerRow.id))
    found = await session.execute(query.with_for_update(key_share=True))
    return {**await _open_rows(session, schedules), **{row.id: _Row(*row) for row in found}}


async def _open_rows(session: AsyncSession, schedules: Sequence[str]) -> dict[str, _Row]:
    # In the words of its index: neither database recognises them when the values are parameters.
    query = select(*_columns()).where(col(TriggerRow.schedule_id).in_(schedules), text(f"({IS_OPEN})"))
    return {row.id: _Row(*row) for row in await session.execute(query)} if schedules else {}


def _columns() -> list[Any]:
    return [col(getattr(TriggerRow, name)) for name in _Row.__dataclass_fields__]


async def _write(session: AsyncSession, table: _Table, now: datetime) -> None:
    changes = table.changes()
    if changes:
        await (await session.connection()).execute(_CHANGE, changes)
    if table.killed:
        await fail_open(session, sorted(table.killed), KILLED, now)


def _place(table: _Table, wish: Claim) -> tuple[bool, datetime | None, str]:
    row = table.rows.get(wish.trigger_id)
    return (row is None, row.planned if row is not None else None, wish.trigger_id)


def _kept(reason: str) -> str:
    return "" if reason == QUEUED else reason
