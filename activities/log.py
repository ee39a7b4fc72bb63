"""What one attempt of a stage logs, line by line."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from activities.masking import Masker
from activities.stages.kind import Deed, Earlier, Stream, nothing_earlier
from cronny.clock import Clock, wall_clock
from cronny.store.live import LogLine, Piece, Unit

LOG_LIMIT = 64 * 1024  # characters kept of one stage's log


@dataclass
class Log:
    """The lines a stage wrote, masked and capped, and what is to be done once they are recorded."""

    masker: Masker
    clock: Clock = wall_clock
    lines: list[LogLine] = field(default_factory=list)
    size: int = 0
    written: int = 0  #: How many of the lines can be read by others already.
    is_live: bool = False  #: Whether any of them were written before its end.
    afterwards: list[Deed] = field(default_factory=list)
    earlier: Earlier = nothing_earlier

    def write(self, line: str) -> None:
        """Add a line; what goes beyond the limit is dropped."""
        self._add(line, None)

    def write_from(self, stream: Stream, line: str) -> None:
        """Add a line that a program wrote to a stream."""
        self._add(line, stream)

    def conceal(self, secret: str) -> None:
        """Mask one more secret, in this log and in what the stage gives."""
        self.masker = self.masker.also(secret)

    def text(self) -> str:
        """The log as one text that any database takes."""
        return "\n".join(line.text for line in self.lines)

    def take_over(self, lines: Sequence[LogLine]) -> None:
        """Go on behind what an earlier worker has written of the same attempt."""
        self.lines, self.written = [*lines, *self.lines], 0
        self.size = sum(len(line.text) + 1 for line in self.lines)

    def piece(self, unit: Unit, began: datetime, attempt: int) -> Piece:
        """The lines that nobody but this process knows."""
        return Piece(unit, began, attempt, self.written, self.lines[self.written :])

    def _add(self, line: str, stream: Stream | None) -> None:
        # Masked as a whole: a secret may have several lines.
        text = self.masker.text(line).replace("\x00", "").encode("utf-8", "replace").decode()
        for each in text.split("\n"):
            self.size += len(each) + 1
            if self.size <= LOG_LIMIT:
                self.lines.append(LogLine(each, self.clock(), stream))
