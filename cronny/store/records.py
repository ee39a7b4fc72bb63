"""Stage records and the ends of triggers, written in bulk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import ColumnElement, and_, bindparam, case, or_, select, true, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.store.attempts import OF_STAGE, FailedAttempt, add_attempts
from cronny.store.blobs import Larges, column_of
from cronny.store.claims import start_stages
from cronny.store.columns import storable
from cronny.store.items import ItemEnd, ItemKey, end_items, end_started_items
from cronny.store.live import Unit, drop_live, record_live
from cronny.store.tables import StageRow, StageState, TriggerRow, TriggerState

RECORD_CHUNK = 200  # records in one transaction
MOST_KEYS = 2000  # records asked for one by one; beyond that all of a trigger's are read
OVERLAP_CANCELLED = "overlap_cancelled"  # the reason of what was asked to end for the sake of a later one
PLACE_CANCELLED = "concurrency_cancelled"  # the same, because its action has so many places only


@dataclass(frozen=True)
class StageEnd:
    """How a stage, or one attempt of it (`started`), ended."""

    trigger_id: str
    stage_id: str
    state: StageState
    attempt: int
    finished_at: datetime | None
    input: JsonValue
    output: JsonValue
    error: JsonValue
    fired: tuple[int, ...]
    log: str
    item: int | None = None  #: Of a stage with `foreach`: the end of this item.
    failed_at: datetime | None = None  #: Of an attempt that is tried again.
    is_live: bool = False  #: Whether lines were written while it was under way.
    large: Larges = field(default_factory=dict)  #: Of its input and output: what is kept elsewhere.


@dataclass(frozen=True)
class Begin:
    """The beginning of a stage, and the stages of its trigger whose records it reads, itself among them."""

    trigger_id: str
    stage_id: str
    needs: frozenset[str]


@dataclass(frozen=True)
class TriggerEnd:
    """How a trigger ended."""

    trigger_id: str
    run_id: str
    state: TriggerState
    reason: str
    outputs: JsonValue
    error: JsonValue
    finished_at: datetime
    skipped: tuple[str, ...] = ()
    large: Larges = field(default_factory=dict)  #: Of its outputs: what is kept elsewhere.


@dataclass(frozen=True)
class TriggerRecords:
    """A ledger row and the records of its stages by stage id, in the order they started."""

    trigger: TriggerRow
    stages: dict[str, StageRow]


# The first end is final: an attempt that was given up as lost may still end after its successor.
_END_STAGE = (
    update(StageRow)
    .where(
        col(StageRow.trigger_id) == bindparam("of_trigger"),
        col(StageRow.stage_id) == bindparam("of_stage"),
        col(StageRow.finished_at).is_(None),
    )
    .values({
        name: bindparam(f"to_{name}", type_=getattr(StageRow, name).type)
        for name in ("state", "attempt", "finished_at", "input", "output", "error", "fired", "large", "log")
    })
    .execution_options(synchronize_session=False)
)  # fmt: skip

# The one for whose sake a trigger was cancelled has written why.
_HAS_SAID = or_(col(TriggerRow.reason) == OVERLAP_CANCELLED, col(TriggerRow.reason) == PLACE_CANCELLED)
_WAS_ASKED = and_(_HAS_SAID, bindparam("to_reason") == "requested")
_REASON = case((_WAS_ASKED, col(TriggerRow.reason)), else_=bindparam("to_reason"))

# A trigger is settled by the run that claimed it, and once.
_END_TRIGGER = (
    update(TriggerRow)
    .where(
        col(TriggerRow.id) == bindparam("of_trigger"),
        col(TriggerRow.run_id) == bindparam("of_run"),
        col(TriggerRow.state) == TriggerState.EXECUTING,
    )
    .values({
        name: bindparam(f"to_{name}", type_=getattr(TriggerRow, name).type)
        for name in ("state", "outputs", "error", "large", "finished_at")
    } | {"reason": _REASON})
    .execution_options(synchronize_session=False)
)  # fmt: skip


async def end_stages(session: AsyncSession, ends: Sequence[StageEnd]) -> None:
    """Complete the records of stages, and of items, that were started."""
    ordered = sorted(ends, key=lambda end: (end.trigger_id, end.stage_id))
    stages = [_stage_values(end) for end in ordered if end.item is None]
    if stages:
        await (await session.connection()).execute(_END_STAGE, stages)
    if items := [_item_end(end, end.item) for end in ordered if end.item is not None]:
        await end_items(session, items)
    if failed := [_failed(end, end.failed_at) for end in ordered if end.failed_at is not None]:
        await add_attempts(session, failed)
    if live := {_unit(end) for end in ordered if end.is_live}:
        await drop_live(session, live)


async def end_triggers(session: AsyncSession, ends: Sequence[TriggerEnd], now: datetime) -> None:
    """Settle triggers, and record their stages that never became ready as skipped."""
    ordered = sorted(ends, key=lambda end: end.trigger_id)
    await (await session.connection()).execute(_END_TRIGGER, [_trigger_values(end) for end in ordered])
    owners = await _owners(session, [end.trigger_id for end in ordered if end.skipped])
    skipped = [
        (end.trigger_id, stage)
        for end in ordered
        if owners.get(end.trigger_id) == end.run_id
        for stage in end.skipped
    ]
    await add_skipped(session, skipped, now)


async def note_error(session: AsyncSession, trigger_id: str, run_id: str, error: JsonValue) -> None:
    """Write down why a trigger that executes is going to fail."""
    await session.execute(
        update(TriggerRow)
        .where(col(TriggerRow.id) == trigger_id, col(TriggerRow.run_id) == run_id)
        .values(error=error)
        .execution_options(synchronize_session=False)
    )


async def add_skipped(session: AsyncSession, stages: Sequence[tuple[str, str]], now: datetime) -> None:
    """Record (trigger id, stage id) pairs as skipped, unless they have a record."""
    if not stages:
        return
    rows = [
        {
            "trigger_id": trigger, "stage_id": stage, "state": StageState.SKIPPED, "attempt": 0,
            "started_at": now, "finished_at": now, "log": "",
        }
        for trigger, stage in stages
    ]  # fmt: skip
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    await (await session.connection()).execute(insert(StageRow).on_conflict_do_nothing(), rows)


async def _owners(session: AsyncSession, ids: Sequence[str]) -> Mapping[str, str]:
    """The run that claimed each trigger."""
    if not ids:
        return {}
    query = select(col(TriggerRow.id), col(TriggerRow.run_id)).where(col(TriggerRow.id).in_(ids))
    return {row.id: row.run_id for row in await session.execute(query)}


async def fail_open(session: AsyncSession, triggers: Sequence[str], error: JsonValue, now: datetime) -> None:
    """Record as failed what was under way in triggers that were ended from outside."""
    await record_live(session, triggers)
    await session.execute(
        update(StageRow)
        .where(col(StageRow.trigger_id).in_(triggers), col(StageRow.finished_at).is_(None))
        .values(state=StageState.FAILED, error=error, finished_at=now)
        .execution_options(synchronize_session=False)
    )
    await end_started_items(session, triggers, error, now)


async def begin_stages(
    session: AsyncSession, begins: Sequence[Begin], now: datetime
) -> list[TriggerRecords | None]:
    """The records that each stage needs, once it is written as started; in order.

    A start need not outlast a crash of the database: nothing refrains from executing on account of it.
    """
    await start_stages(
        session, [(begin.trigger_id, begin.stage_id) for begin in begins], now, is_lasting=False
    )
    ids = [begin.trigger_id for begin in begins]
    keys = {(begin.trigger_id, stage) for begin in begins for stage in begin.needs}
    wanted = tuple_(col(StageRow.trigger_id), col(StageRow.stage_id)).in_(keys)
    found = await _records(session, ids, wanted if len(keys) <= MOST_KEYS else true())
    return [found.get(trigger_id) for trigger_id in ids]


async def load_records(session: AsyncSession, ids: Sequence[str]) -> Mapping[str, TriggerRecords]:
    """Ledger rows and their stage records, by trigger id."""
    return await _records(session, ids, true())


async def _records(
    session: AsyncSession, ids: Sequence[str], stages: ColumnElement[bool]
) -> dict[str, TriggerRecords]:
    query = (
        select(TriggerRow, StageRow)
        .outerjoin(StageRow, and_(col(StageRow.trigger_id) == col(TriggerRow.id), stages))
        .where(col(TriggerRow.id).in_(ids))
        .order_by(col(StageRow.started_at), col(StageRow.stage_id))
    )
    found: dict[str, TriggerRecords] = {}
    for trigger, stage in await session.execute(query):
        records = found.setdefault(trigger.id, TriggerRecords(trigger, {}))
        if stage is not None:
            records.stages[stage.stage_id] = stage
    return found


def _unit(end: StageEnd) -> Unit:
    return Unit(end.trigger_id, end.stage_id, OF_STAGE if end.item is None else end.item)


def _item_end(end: StageEnd, item: int) -> ItemEnd:
    key = ItemKey(end.trigger_id, end.stage_id, item)
    return ItemEnd(
        key, end.state, end.attempt, end.finished_at, end.input, end.output, end.error, end.log,
        column_of(end.large),
    )  # fmt: skip


def _failed(end: StageEnd, at: datetime) -> FailedAttempt:
    item = OF_STAGE if end.item is None else end.item
    return FailedAttempt(end.trigger_id, end.stage_id, item, end.attempt - 1, at, end.error, end.log)


def _stage_values(end: StageEnd) -> dict[str, object]:
    return {
        "of_trigger": end.trigger_id, "of_stage": end.stage_id, "to_state": end.state,
        "to_attempt": end.attempt,
        "to_finished_at": end.finished_at, "to_input": end.input, "to_output": end.output,
        "to_error": end.error,
        "to_fired": list(end.fired), "to_large": column_of(end.large), "to_log": storable(end.log),
    }  # fmt: skip


def _trigger_values(end: TriggerEnd) -> dict[str, object]:
    return {
        "of_trigger": end.trigger_id, "of_run": end.run_id, "to_state": end.state, "to_reason": end.reason,
        "to_outputs": end.outputs, "to_error": end.error, "to_finished_at": end.finished_at,
        "to_large": column_of(end.large),
    }  # fmt: skip
