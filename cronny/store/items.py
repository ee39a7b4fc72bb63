"""The records of the items of stages with `foreach`, written and read in bulk."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import bindparam, delete, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer
from sqlmodel import col

from cronny.store.columns import json_text, storable
from cronny.store.item_tables import ItemRow, ItemState
from cronny.store.tables import StageState

ITEM_CHUNK = 500  # rows of one insert: it keeps a claim on SQLite waiting for some 10 ms

Counts = Mapping[ItemState, int]


@dataclass(frozen=True)
class ItemKey:
    """One item of a stage of a trigger."""

    trigger_id: str
    stage_id: str
    item: int

    @property
    def place(self) -> tuple[str, str, int]:
        """Rows are locked in the order of their places."""
        return self.trigger_id, self.stage_id, self.item


@dataclass(frozen=True)
class ItemEnd:
    """How an item, or one attempt of it (`started`), ended."""

    key: ItemKey
    state: StageState
    attempt: int
    finished_at: datetime | None
    input: JsonValue
    output: JsonValue
    error: JsonValue
    log: str
    large: JsonValue = None


@dataclass(frozen=True)
class Result:
    """What became of an item."""

    item: int
    state: ItemState
    output: JsonValue
    error: JsonValue
    large: JsonValue = None  #: Whether its output is kept elsewhere.


_IS_ITEM = (
    col(ItemRow.trigger_id) == bindparam("of_trigger"),
    col(ItemRow.stage_id) == bindparam("of_stage"),
    col(ItemRow.item) == bindparam("of_item"),
)
_BEGIN = (
    update(ItemRow)
    .where(*_IS_ITEM, col(ItemRow.state) == ItemState.WAITING)
    .values(
        state=ItemState.STARTED, attempt=1, started_at=bindparam("now", type_=ItemRow.started_at.type)  # type: ignore[union-attr]  # a column
    )
    .execution_options(synchronize_session=False)
)  # fmt: skip
# The first end is final, as that of a stage.
_END = (
    update(ItemRow)
    .where(*_IS_ITEM, col(ItemRow.finished_at).is_(None))
    .values({
        name: bindparam(f"to_{name}", type_=getattr(ItemRow, name).type)
        for name in ("state", "attempt", "finished_at", "input", "output", "error", "large", "log")
    })
    .execution_options(synchronize_session=False)
)  # fmt: skip


async def add_items(
    session: AsyncSession, trigger_id: str, stage_id: str, values: Sequence[JsonValue], first: int
) -> None:
    """Write the records of items, the first of which is number `first`, unless they are there."""
    rows = [
        {
            "trigger_id": trigger_id, "stage_id": stage_id, "item": number, "state": ItemState.WAITING,
            "attempt": 0, "value": value, "log": "",
        }
        for number, value in enumerate(values, first)
    ]  # fmt: skip
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    await (await session.connection()).execute(insert(ItemRow).on_conflict_do_nothing(), rows)


async def keep_same_items(
    session: AsyncSession, trigger_id: str, stage_id: str, values: Sequence[JsonValue]
) -> None:
    """Forget what a re-run took over of items that are not those of the list of now."""
    of_stage = (col(ItemRow.trigger_id) == trigger_id, col(ItemRow.stage_id) == stage_id)
    rows = await session.execute(select(col(ItemRow.item), col(ItemRow.value)).where(*of_stage))
    others = [
        item for item, value in rows if item >= len(values) or json_text(value) != json_text(values[item])
    ]
    for first in range(0, len(others), ITEM_CHUNK):
        chunk = others[first : first + ITEM_CHUNK]
        await session.execute(delete(ItemRow).where(*of_stage, col(ItemRow.item).in_(chunk)))


async def begin_items(session: AsyncSession, keys: Sequence[ItemKey], now: datetime) -> list[ItemRow | None]:
    """The records of items, once each is written as started; without what they gave, in order."""
    ordered = sorted(set(keys), key=lambda key: key.place)
    await (await session.connection()).execute(_BEGIN, [{**_of(key), "now": now} for key in ordered])
    place = tuple_(col(ItemRow.trigger_id), col(ItemRow.stage_id), col(ItemRow.item))
    query = select(ItemRow).where(place.in_([key.place for key in ordered]))
    query = query.options(*[defer(getattr(ItemRow, name)) for name in ("input", "output", "log")])
    rows = {(row.trigger_id, row.stage_id, row.item): row for row in (await session.execute(query)).scalars()}
    return [rows.get(key.place) for key in keys]


async def end_items(session: AsyncSession, ends: Sequence[ItemEnd]) -> None:
    """Complete the records of items that were started."""
    ordered = sorted(ends, key=lambda end: end.key.place)
    await (await session.connection()).execute(_END, [_values(end) for end in ordered])


async def results_of(session: AsyncSession, trigger_id: str, stage_id: str) -> list[Result]:
    """What became of the items of a stage, in their order."""
    query = (
        select(
            col(ItemRow.item), col(ItemRow.state), col(ItemRow.output), col(ItemRow.error), col(ItemRow.large)
        )
        .where(col(ItemRow.trigger_id) == trigger_id, col(ItemRow.stage_id) == stage_id)
        .order_by(col(ItemRow.item))
    )
    return [Result(*row) for row in await session.execute(query)]


async def completed_items(session: AsyncSession, trigger_id: str, stage_id: str) -> Sequence[ItemRow]:
    """The items of a stage that have completed, the last one first."""
    query = select(ItemRow).where(
        col(ItemRow.trigger_id) == trigger_id,
        col(ItemRow.stage_id) == stage_id,
        col(ItemRow.state) == ItemState.COMPLETED,
    )
    query = query.options(*[defer(getattr(ItemRow, name)) for name in ("input", "log")])
    return (await session.execute(query.order_by(col(ItemRow.item).desc()))).scalars().all()


async def item_counts(session: AsyncSession, trigger_id: str) -> Mapping[str, Counts]:
    """How many items of each stage of a trigger are in which state."""
    query = (
        select(col(ItemRow.stage_id), col(ItemRow.state), func.count())
        .where(col(ItemRow.trigger_id) == trigger_id)
        .group_by(col(ItemRow.stage_id), col(ItemRow.state))
    )
    counts: dict[str, dict[ItemState, int]] = {}
    for stage, state, count in await session.execute(query):
        counts.setdefault(stage, {})[state] = count
    return counts


async def page_of_items(
    session: AsyncSession, trigger_id: str, stage_id: str, states: Iterable[ItemState], after: int, limit: int
) -> Sequence[ItemRow]:
    """The items of a stage behind number `after`, in any or in some states."""
    wanted = list(states)
    query = select(ItemRow).where(
        col(ItemRow.trigger_id) == trigger_id, col(ItemRow.stage_id) == stage_id, col(ItemRow.item) > after
    )
    if wanted:
        query = query.where(col(ItemRow.state).in_(wanted))
    return (await session.execute(query.order_by(col(ItemRow.item)).limit(limit))).scalars().all()


async def end_started_items(
    session: AsyncSession, triggers: Sequence[str], error: JsonValue, now: datetime
) -> None:
    """Record as failed what was under way when its trigger was ended from outside."""
    await session.execute(
        update(ItemRow)
        .where(col(ItemRow.trigger_id).in_(triggers), col(ItemRow.state) == ItemState.STARTED)
        .values(state=ItemState.FAILED, error=error, finished_at=now)
        .execution_options(synchronize_session=False)
    )


def _of(key: ItemKey) -> dict[str, object]:
    return {"of_trigger": key.trigger_id, "of_stage": key.stage_id, "of_item": key.item}


def _values(end: ItemEnd) -> dict[str, object]:
    return {
        **_of(end.key), "to_state": ItemState(end.state.value), "to_attempt": end.attempt,
        "to_finished_at": end.finished_at, "to_input": end.input, "to_output": end.output,
        "to_error": end.error, "to_large": end.large, "to_log": storable(end.log),
    }  # fmt: skip
