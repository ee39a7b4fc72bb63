"""How far a reader has come: what stands in the `id` of each event, so that any server can go on from there.

It says of each stage which attempt and how many of its lines were sent, with a checksum of those: if a stage
was executed again meanwhile, its lines are others, and are sent from the first one.
"""

import re
from base64 import b32encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2s
from zlib import crc32

from cronny.errors import Invalid
from cronny.store.live import OF_STAGE, LogLine, Unit
from dsl.problems import Problem

LONGEST = 12  # characters of a stage's id as it is; ids of a longer one stand for it
MOST_TOKEN = 60_000  # characters, of a header
NONE, STARTED, FINISHED, HAS_ENDED = "n", "s", "f", "e"

_MARK = re.compile(r"([a-z0-9_.~]+)(?:/(\d{1,9}))?:(\d{1,6})([nsf])(?:(\d{1,6})-([0-9a-f]{1,8}))?", re.ASCII)
_DONE = re.compile(r"([a-z0-9_.~]+)\*([0-9,-]+)", re.ASCII)


@dataclass
class Mark:
    """How much of a unit was sent."""

    attempt: int = 0
    phase: str = NONE
    lines: int = 0
    checksum: int = 0

    def begin(self, attempt: int) -> None:
        """Go on with another attempt."""
        if attempt != self.attempt:
            self.attempt, self.lines, self.checksum = attempt, 0, 0

    def left(self, lines: Sequence[LogLine]) -> tuple[bool, Sequence[LogLine]]:
        """Which lines were not sent, and whether those that were are others than these."""
        if self.lines <= len(lines) and _checksum(lines[: self.lines]) == self.checksum:
            return False, lines[self.lines :]
        self.lines, self.checksum = 0, 0
        return True, lines

    def add(self, line: LogLine) -> None:
        """Note that a line was sent."""
        self.lines, self.checksum = self.lines + 1, _checksum([line], self.checksum)

    def __str__(self) -> str:
        sent = f"{self.lines}-{self.checksum:x}" if self.lines and self.phase != FINISHED else ""
        return f"{self.attempt}{self.phase}{sent}"


@dataclass
class Marks:
    """How much of a trigger was sent."""

    state: str = ""  #: The trigger's.
    has_ended: bool = False
    units: dict[tuple[str, int], Mark] = field(default_factory=dict)  #: By short stage and item.
    done: dict[str, list[tuple[int, int]]] = field(default_factory=dict)  #: Items, by short stage.

    def of(self, unit: Unit) -> Mark:
        """The mark of a unit."""
        return self.units.setdefault((short(unit.stage_id), unit.item), Mark())

    def is_done(self, unit: Unit) -> bool:
        """Whether an item was sent to its end."""
        return any(first <= unit.item <= last for first, last in self.done.get(short(unit.stage_id), ()))

    def finish(self, unit: Unit) -> None:
        """Note that everything of a unit was sent."""
        if unit.item == OF_STAGE:
            self.of(unit).phase = FINISHED
            return
        self.units.pop((short(unit.stage_id), unit.item), None)
        stage = short(unit.stage_id)
        self.done[stage] = _joined([*self.done.get(stage, ()), (unit.item, unit.item)])

    def count(self, stage: str) -> int:
        """How many items of a stage are done."""
        return sum(last - first + 1 for first, last in self.done.get(short(stage), ()))

    def gaps(self, stage: str) -> Iterator[tuple[int, int | None]]:
        """The ranges of items that are not done; the last one has no end."""
        begin = 0
        for first, last in self.done.get(short(stage), ()):
            if first > begin:
                yield begin, first - 1
            begin = last + 1
        yield begin, None

    def __str__(self) -> str:
        parts = [HAS_ENDED if self.has_ended else "1", self.state]
        for (stage, item), mark in self.units.items():
            parts.append(f"{stage}{'' if item == OF_STAGE else f'/{item}'}:{mark}")
        for stage, ranges in self.done.items():
            parts.append(f"{stage}*{','.join(f'{first}-{last}' for first, last in ranges)}")
        return ";".join(parts)


def read_marks(token: str | None) -> Marks:
    """What an id says; raises Invalid when it is none of ours."""
    if not token:
        return Marks()
    if len(token) > MOST_TOKEN:
        raise _refusal()
    version, *rest = token.split(";")
    if version not in ("1", HAS_ENDED) or not rest or not re.fullmatch("[a-z_:]{0,80}", rest[0]):
        raise _refusal()
    marks = Marks(rest[0], version == HAS_ENDED)
    for part in rest[1:]:
        if found := _MARK.fullmatch(part):
            stage, item, attempt, phase, lines, checksum = found.groups()
            mark = Mark(int(attempt), phase, int(lines or 0), int(checksum or "0", 16))
            marks.units[stage, OF_STAGE if item is None else int(item)] = mark
        elif found := _DONE.fullmatch(part):
            marks.done[found[1]] = _ranges(found[2])
        else:
            raise _refusal()
    return marks


def short(stage: str) -> str:
    """A stage's id, or what stands for a long one."""
    if len(stage) <= LONGEST:
        return stage
    return "~" + b32encode(blake2s(stage.encode(), digest_size=5).digest()).decode().lower()


def _ranges(text: str) -> list[tuple[int, int]]:
    pairs = [re.fullmatch(r"(\d{1,9})-(\d{1,9})", part, re.ASCII) for part in text.split(",")]
    if not all(pairs):
        raise _refusal()
    return _joined([(int(pair[1]), int(pair[2])) for pair in pairs if pair])


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def _checksum(lines: Sequence[LogLine], before: int = 0) -> int:
    for line in lines:
        before = crc32(line.text.encode() + b"\n", before)
    return before


def _refusal() -> Invalid:
    hint = "send the id of the last event as it came, or none"
    return Invalid([Problem("header.last-event-id", "this is no id of ours", hint, "invalid")])
