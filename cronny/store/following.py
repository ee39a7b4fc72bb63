"""What has happened to triggers up to now, for those who follow them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.store.item_tables import AttemptRow, ItemRow
from cronny.store.live import Lines, Unit, live_of_triggers
from cronny.store.tables import StageRow, TriggerRow

MOST_GAPS = 50  # ranges of items that one query asks for
MOST_ITEMS = 200  # of one look
ITEM_FIELDS = ("item", "state", "attempt", "finished_at", "error", "log")
MOST_KEYS = 500  # keys of one statement


@dataclass(frozen=True)
class Step:
    """Where a stage, or one of its items, stands."""

    unit: Unit
    state: str
    attempt: int
    finished: datetime | None
    started: datetime | None = None
    error: JsonValue = None
    log: str = ""


@dataclass(frozen=True)
class Failed:
    """An attempt that was followed by another one."""

    failed: datetime
    error: JsonValue
    log: str


@dataclass(frozen=True)
class Sighting:
    """A trigger at one instant."""

    state: str
    reason: str
    started: datetime | None
    finished: datetime | None
    completes_at_start: bool
    steps: Sequence[Step] = ()
    live: Mapping[Unit, Lines] = field(default_factory=dict)
    failed: Mapping[tuple[Unit, int], Failed] = field(default_factory=dict)
    ended_items: Mapping[str, int] = field(default_factory=dict)  #: How many, by stage.


async def sightings(
    session: AsyncSession, ids: Collection[str], known: Mapping[Unit, Step]
) -> Mapping[str, Sighting]:
    """Triggers as they are now; what is `known` of finished stages is not read again.

    Live lines are read first: what is gone from them afterwards stands in the records.
    """
    live = await live_of_triggers(session, ids)
    steps = await _steps(session, ids, known)
    again = [(step.unit, step.attempt) for step in steps if step.attempt > 1 and step.unit not in known]
    again += [(unit, lines.attempt) for unit, lines in live.items() if lines.attempt > 1]
    failed = await failed_attempts(session, {unit for unit, _ in again})
    items = await _ended_items(session, ids)
    rows = (await session.execute(select(TriggerRow).where(col(TriggerRow.id).in_(ids)))).scalars()
    return {
        row.id: Sighting(
            row.state, row.reason, row.started_at, row.finished_at, row.complete_on == "start",
            [step for step in steps if step.unit.trigger_id == row.id],
            {unit: lines for unit, lines in live.items() if unit.trigger_id == row.id},
            {key: one for key, one in failed.items() if key[0].trigger_id == row.id},
            {stage: count for (trigger, stage), count in items.items() if trigger == row.id},
        )
        for row in rows
    }  # fmt: skip


async def failed_attempts(
    session: AsyncSession, units: Collection[Unit]
) -> Mapping[tuple[Unit, int], Failed]:
    """The failed attempts of units, by their numbers."""
    place = tuple_(col(AttemptRow.trigger_id), col(AttemptRow.stage_id), col(AttemptRow.item))
    places = sorted({unit.place for unit in units})
    found: dict[tuple[Unit, int], Failed] = {}
    for first in range(0, len(places), MOST_KEYS):
        query = select(AttemptRow).where(place.in_(places[first : first + MOST_KEYS]))
        for row in (await session.execute(query)).scalars():
            unit = Unit(row.trigger_id, row.stage_id, row.item)
            found[unit, row.attempt] = Failed(row.failed_at, row.error, row.log)
    return found


async def ended_items(
    session: AsyncSession, trigger_id: str, stage_id: str, gaps: Iterable[tuple[int, int | None]]
) -> Sequence[Step]:
    """Some of the items that have ended within these ranges, in their order."""
    number = col(ItemRow.item)
    ranges = [
        number >= first if last is None else number.between(first, last)
        for first, last in list(gaps)[:MOST_GAPS]
    ]
    query = (
        select(*[col(getattr(ItemRow, name)) for name in ITEM_FIELDS])
        .where(
            col(ItemRow.trigger_id) == trigger_id,
            col(ItemRow.stage_id) == stage_id,
            col(ItemRow.finished_at).is_not(None),
            or_(*ranges),
        )
        .order_by(number)
        .limit(MOST_ITEMS)
    )
    return [
        Step(Unit(trigger_id, stage_id, row.item), row.state, row.attempt, row.finished_at, None, row.error,
             row.log)
        for row in await session.execute(query)
    ]  # fmt: skip


async def log_of_item(session: AsyncSession, unit: Unit) -> str | None:
    """What an item has logged up to now; None if there is no such item."""
    live = (await live_of_triggers(session, [unit.trigger_id])).get(unit)
    row = await session.get(ItemRow, unit.place)
    if row is None:
        return None
    return row.log or "\n".join(line.text for line in (live.lines if live else ()))


async def _steps(session: AsyncSession, ids: Collection[str], known: Mapping[Unit, Step]) -> Sequence[Step]:
    """Where stages stand, in the order in which they started."""
    brief = select(
        col(StageRow.trigger_id), col(StageRow.stage_id), col(StageRow.state), col(StageRow.attempt),
        col(StageRow.finished_at), col(StageRow.started_at),
    )  # fmt: skip
    query = brief.where(col(StageRow.trigger_id).in_(ids))
    rows = (await session.execute(query.order_by(col(StageRow.started_at), col(StageRow.stage_id)))).all()
    found = [
        Step(Unit(row.trigger_id, row.stage_id), row.state, row.attempt, row.finished_at, row.started_at)
        for row in rows
    ]
    news = [step.unit for step in found if step.finished is not None and step.unit not in known]
    ends = await _ends(session, news)
    return [known.get(step.unit) or ends.get(step.unit) or step for step in found]


async def _ends(session: AsyncSession, units: Sequence[Unit]) -> Mapping[Unit, Step]:
    """How stages have ended, with their logs."""
    ends: dict[Unit, Step] = {}
    for first in range(0, len(units), MOST_KEYS):
        chunk = [(unit.trigger_id, unit.stage_id) for unit in units[first : first + MOST_KEYS]]
        query = select(
            col(StageRow.trigger_id), col(StageRow.stage_id), col(StageRow.state), col(StageRow.attempt),
            col(StageRow.finished_at), col(StageRow.started_at), col(StageRow.error), col(StageRow.log),
        ).where(tuple_(col(StageRow.trigger_id), col(StageRow.stage_id)).in_(chunk))  # fmt: skip
        for row in await session.execute(query):
            unit = Unit(row.trigger_id, row.stage_id)
            ends[unit] = Step(unit, *row[2:])
    return ends


async def _ended_items(session: AsyncSession, ids: Collection[str]) -> Mapping[tuple[str, str], int]:
    query = (
        select(col(ItemRow.trigger_id), col(ItemRow.stage_id), func.count())
        .where(and_(col(ItemRow.trigger_id).in_(ids), col(ItemRow.finished_at).is_not(None)))
        .group_by(col(ItemRow.trigger_id), col(ItemRow.stage_id))
    )
    return {(trigger, stage): count for trigger, stage, count in await session.execute(query)}
