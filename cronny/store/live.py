"""What stages log while they run: written in bulk, and gone once their records hold it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Tuple, and_, bindparam, delete, exists, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.store.columns import from_micros, to_micros
from cronny.store.item_tables import ItemRow
from cronny.store.live_tables import LiveRow
from cronny.store.tables import StageRow, TriggerRow, TriggerState

OF_STAGE = -1  # the item of what a stage logs as a whole
LEFT_OVER = timedelta(minutes=1)  # after which lines are looked at whether their stage still runs
KEPT_TOGETHER = 500  # units in one statement


@dataclass(frozen=True)
class Unit:
    """A stage of a trigger, or one of its items."""

    trigger_id: str
    stage_id: str
    item: int = OF_STAGE

    @property
    def place(self) -> tuple[str, str, int]:
        """Rows are locked in the order of their places."""
        return self.trigger_id, self.stage_id, self.item


@dataclass(frozen=True)
class LogLine:
    """A line, masked, with what is known of where it comes from."""

    text: str
    at: datetime | None = None
    stream: str | None = None


@dataclass(frozen=True)
class Piece:
    """Lines of one execution, the first of which is number `first`, from 0."""

    unit: Unit
    began: datetime
    attempt: int
    first: int
    lines: Sequence[LogLine]


@dataclass(frozen=True)
class Lines:
    """All lines of the latest execution of a unit that there are."""

    attempt: int
    lines: Sequence[LogLine]


_FORGET_EARLIER = delete(LiveRow).where(
    col(LiveRow.trigger_id) == bindparam("of_trigger"),
    col(LiveRow.stage_id) == bindparam("of_stage"),
    col(LiveRow.item) == bindparam("of_item"),
    col(LiveRow.began) < bindparam("of_began", type_=LiveRow.began.type),  # type: ignore[attr-defined]  # a column
)


async def write_live(session: AsyncSession, pieces: Sequence[Piece], now: datetime) -> None:
    """Write down lines; the first ones of an execution replace those of the one before it."""
    ordered = sorted(pieces, key=lambda piece: (piece.unit.place, piece.first))
    connection = await session.connection()
    if begun := [_earlier(piece) for piece in ordered if piece.first == 0]:
        await connection.execute(_FORGET_EARLIER, begun)
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    rows = [_row(piece, now) for piece in ordered]
    await connection.execute(insert(LiveRow).on_conflict_do_nothing(), rows)


async def drop_live(session: AsyncSession, units: Collection[Unit]) -> None:
    """Forget the lines of units, whatever execution they are of."""
    places = sorted({unit.place for unit in units})
    for first in range(0, len(places), KEPT_TOGETHER):
        await session.execute(delete(LiveRow).where(_place().in_(places[first : first + KEPT_TOGETHER])))


async def live_of(session: AsyncSession, condition: ColumnElement[bool]) -> Mapping[Unit, Lines]:
    """The lines of each unit's latest execution."""
    query = select(LiveRow).where(condition).order_by(col(LiveRow.began), col(LiveRow.first))
    found: dict[Unit, tuple[datetime, int, list[LogLine]]] = {}
    for row in (await session.execute(query)).scalars():
        unit = Unit(row.trigger_id, row.stage_id, row.item)
        if unit not in found or found[unit][0] != row.began:
            found[unit] = (row.began, row.attempt, [])
        found[unit][2].extend(_lines(row.lines))
    return {unit: Lines(attempt, lines) for unit, (_, attempt, lines) in found.items()}


async def live_of_triggers(session: AsyncSession, ids: Iterable[str]) -> Mapping[Unit, Lines]:
    """The lines of the stages of triggers."""
    return await live_of(session, col(LiveRow.trigger_id).in_(list(ids)))


async def live_of_unit(session: AsyncSession, unit: Unit, attempt: int) -> Sequence[LogLine]:
    """The lines of one attempt of a unit."""
    found = await live_of(session, and_(_place().in_([unit.place]), col(LiveRow.attempt) == attempt))
    return found[unit].lines if unit in found else ()


async def record_live(session: AsyncSession, triggers: Sequence[str]) -> None:
    """Give the lines of what is ended from outside to its records, as nobody else will."""
    found = await live_of_triggers(session, triggers)
    for unit, written in found.items():
        is_item = unit.item != OF_STAGE
        table = ItemRow if is_item else StageRow
        change = update(table).where(
            col(table.trigger_id) == unit.trigger_id,
            col(table.stage_id) == unit.stage_id,
            col(table.finished_at).is_(None),
            *([col(ItemRow.item) == unit.item] if is_item else []),
        )
        text = "\n".join(line.text for line in written.lines)
        await session.execute(change.values(log=text).execution_options(synchronize_session=False))
    await drop_live(session, found)


async def purge_live(session: AsyncSession, now: datetime) -> int:
    """Forget the lines that a dead worker left of what has ended since; how many rows."""
    row, old = LiveRow, col(LiveRow.written_at) < now - LEFT_OVER
    is_of = and_(col(StageRow.trigger_id) == col(row.trigger_id), col(StageRow.stage_id) == col(row.stage_id))
    is_item = and_(
        col(ItemRow.trigger_id) == col(row.trigger_id),
        col(ItemRow.stage_id) == col(row.stage_id),
        col(ItemRow.item) == col(row.item),
    )
    ended = or_(
        and_(col(row.item) == OF_STAGE, exists().where(is_of, col(StageRow.finished_at).is_not(None))),
        exists().where(is_item, col(ItemRow.finished_at).is_not(None)),
        ~exists().where(
            col(TriggerRow.id) == col(row.trigger_id),
            or_(col(TriggerRow.state) == TriggerState.EXECUTING, col(TriggerRow.complete_on) == "start"),
        ),
    )
    query = select(col(row.trigger_id), col(row.stage_id), col(row.item)).where(old, ended).distinct()
    left = [Unit(*place) for place in await session.execute(query)]
    await drop_live(session, left)
    return len(left)


def _place() -> Tuple:
    return tuple_(col(LiveRow.trigger_id), col(LiveRow.stage_id), col(LiveRow.item))


def _earlier(piece: Piece) -> dict[str, object]:
    unit = piece.unit
    return {
        "of_trigger": unit.trigger_id, "of_stage": unit.stage_id, "of_item": unit.item,
        "of_began": piece.began,
    }  # fmt: skip


def _row(piece: Piece, now: datetime) -> dict[str, object]:
    unit = piece.unit
    lines: list[JsonValue] = [
        [None if line.at is None else to_micros(line.at), line.stream, line.text] for line in piece.lines
    ]
    return {
        "trigger_id": unit.trigger_id, "stage_id": unit.stage_id, "item": unit.item, "began": piece.began,
        "first": piece.first, "attempt": piece.attempt, "lines": lines, "written_at": now,
    }  # fmt: skip


def _lines(stored: JsonValue) -> list[LogLine]:
    found = stored if isinstance(stored, list) else []
    return [
        LogLine(str(line[2]), from_micros(line[0]) if isinstance(line[0], int) else None,
                str(line[1]) if line[1] is not None else None)
        for line in found if isinstance(line, list) and len(line) == 3
    ]  # fmt: skip
