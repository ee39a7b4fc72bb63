"""What is new of a trigger to somebody who has seen it before: pure."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import JsonValue

from api.follow.marks import FINISHED, NONE, STARTED, Mark, Marks
from api.views.stage import HIDDEN, shown_error
from cronny.store.following import Failed, Sighting, Step
from cronny.store.live import OF_STAGE, LogLine, Unit

ENDED = ("completed", "failed", "cancelled", "skipped", "missed")
# What completes as it starts goes on, and nothing says which of its stages is the last.
QUIET = timedelta(seconds=15)

Fields = Mapping[str, JsonValue]
Failures = Mapping[tuple[Unit, int], Failed]


@dataclass(frozen=True)
class Reader:
    """What somebody wants to see, and may."""

    stages: Collection[str]  #: None of them: all.
    hides: Callable[[str], bool]  #: Whether the values of a stage are not shown.

    def wants(self, stage: str) -> bool:
        """Whether the reader asked for a stage."""
        return not self.stages or stage in self.stages


@dataclass(frozen=True)
class News:
    """One event."""

    kind: str
    fields: Fields


def news(reader: Reader, marks: Marks, seen: Sighting) -> Iterator[News]:
    """What is new, but the ends of items; `marks` move on with each event."""
    if marks.state != _state(seen) and (seen.state not in ENDED or seen.completes_at_start):
        yield _of_trigger(marks, seen)
    for step in seen.steps:
        if reader.wants(step.unit.stage_id) and marks.of(step.unit).phase != FINISHED:
            yield from _of_step(reader, marks, step, seen)
    for unit, written in seen.live.items():
        if unit.item == OF_STAGE or not reader.wants(unit.stage_id) or marks.is_done(unit):
            continue
        if written.attempt >= marks.of(unit).attempt:
            yield from _earlier(reader, marks, unit, written.attempt, seen.failed)
            yield from _lines(reader, unit, marks.of(unit), written.lines)


def news_of_item(reader: Reader, marks: Marks, step: Step, failed: Failures) -> Iterator[News]:
    """The rest of an item that has ended."""
    yield from _earlier(reader, marks, step.unit, step.attempt, failed)
    yield from _lines(reader, step.unit, marks.of(step.unit), _recorded(step.log))
    marks.finish(step.unit)
    yield _state_of(reader, step)


def closing(marks: Marks, seen: Sighting, now: datetime) -> Iterator[News]:
    """The last events of a trigger, if everything else was sent."""
    if not has_ended(seen, now):
        return
    if marks.state != _state(seen):
        yield _of_trigger(marks, seen)
    marks.has_ended = True
    yield News("end", {"state": seen.state, "reason": seen.reason})


def has_ended(seen: Sighting, now: datetime) -> bool:
    """Whether nothing more will happen to a trigger."""
    if seen.state not in ENDED or any(step.finished is None for step in seen.steps):
        return False
    latest = [step.finished for step in seen.steps if step.finished is not None]
    return not seen.completes_at_start or now - max(latest, default=seen.finished or now) > QUIET


def _of_step(reader: Reader, marks: Marks, step: Step, seen: Sighting) -> Iterator[News]:
    mark = marks.of(step.unit)
    if mark.phase == NONE and step.started is not None and step.attempt > 0:
        mark.phase = STARTED
        yield News("state", _fields(step.unit, 1, "started", step.started))
    yield from _earlier(reader, marks, step.unit, step.attempt, seen.failed)
    live = seen.live.get(step.unit)
    known = live.lines if live is not None and live.attempt == step.attempt else ()
    is_finished = step.finished is not None
    yield from _lines(reader, step.unit, mark, _recorded(step.log) if is_finished and step.log else known)
    if is_finished:
        marks.finish(step.unit)
        yield _state_of(reader, step)


def _earlier(reader: Reader, marks: Marks, unit: Unit, attempt: int, failed: Failures) -> Iterator[News]:
    """The rest of the attempts before one, which becomes the one that is followed."""
    mark = marks.of(unit)
    for number in range(max(mark.attempt, 1), attempt):
        mark.begin(number)
        if (one := failed.get((unit, number))) is not None:
            yield from _lines(reader, unit, mark, _recorded(one.log))
            mark.begin(number + 1)
            error = shown_error(one.error, reader.hides(unit.stage_id))
            yield News("state", {**_fields(unit, number, "retrying", one.failed), "error": error})
    mark.begin(max(attempt, 1))


def _lines(reader: Reader, unit: Unit, mark: Mark, lines: Sequence[LogLine]) -> Iterator[News]:
    if reader.hides(unit.stage_id):
        lines = [LogLine(HIDDEN)] if lines else []
    is_anew, left = mark.left(lines)
    for line in left:
        mark.add(line)
        yield News("log", {
            "stage": unit.stage_id, "item": _item(unit), "attempt": mark.attempt, "sequence": mark.lines,
            "at": None if line.at is None else line.at.isoformat(), "stream": line.stream,
            "text": line.text, "restarted": is_anew and mark.lines == 1,
        })  # fmt: skip


def _recorded(log: str) -> Sequence[LogLine]:
    return [LogLine(text) for text in log.split("\n")] if log else ()


def _state_of(reader: Reader, step: Step) -> News:
    fields = _fields(step.unit, step.attempt, step.state, step.finished)
    return News("state", {**fields, "error": shown_error(step.error, reader.hides(step.unit.stage_id))})


def _of_trigger(marks: Marks, seen: Sighting) -> News:
    marks.state = _state(seen)
    at = seen.finished or seen.started
    fields: Fields = {"stage": None, "item": None, "attempt": None, "state": seen.state}
    return News("state", {**fields, "reason": seen.reason, "at": at.isoformat() if at else None})


def _fields(unit: Unit, attempt: int, state: str, at: datetime | None) -> Fields:
    return {
        "stage": unit.stage_id, "item": _item(unit), "attempt": attempt, "state": state,
        "at": at.isoformat() if at is not None else None,
    }  # fmt: skip


def _item(unit: Unit) -> int | None:
    return None if unit.item == OF_STAGE else unit.item


def _state(seen: Sighting) -> str:
    return f"{seen.state}:{seen.reason}"
