"""What a container writes: told apart, cut into lines for the stage's log, and kept where it is asked for."""

from collections.abc import Callable, Iterator, Mapping

LOG_ROOM = 60 * 1024  # characters; a stage's log has little more
LONGEST_LINE = 16 * 1024  # bytes; a program may never end its line
TAIL = 1000  # bytes of the errors that are kept for the message of a failure

STDOUT, STDERR = 1, 2
HEADER = 8  # bytes before each piece: the stream, three zeros, the length


class Frames:
    """The pieces of a multiplexed stream, from whatever chunks it comes in."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def read(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        """The (stream, content) pairs that are complete now."""
        self._rest += chunk
        while len(self._rest) >= HEADER:
            end = HEADER + int.from_bytes(self._rest[4:HEADER])
            if len(self._rest) < end:
                return
            yield self._rest[0], bytes(self._rest[HEADER:end])
            del self._rest[:end]


class Sink:
    """Where the output of one container goes."""

    def __init__(
        self, log: Callable[[str], None], keeps: int | None, errors: Callable[[str], None] | None = None
    ) -> None:
        """`keeps` is how many bytes of the standard output may be kept; None keeps nothing."""
        self._logs = {STDOUT: log, STDERR: errors or log}
        self._known = {STDOUT: 0, STDERR: 0}
        self._keeps = keeps
        self._room = LOG_ROOM
        self._lines = {STDOUT: bytearray(), STDERR: bytearray()}
        self._seen = {STDOUT: 0, STDERR: 0}
        self._repeated = {STDOUT: 0, STDERR: 0}
        self._tail = b""
        self.stdout = bytearray()

    @property
    def is_full(self) -> bool:
        """Whether nothing that comes would be used."""
        return self._room <= 0 and (self._keeps is None or self.is_over)

    @property
    def is_over(self) -> bool:
        """Whether the standard output is larger than what may be kept."""
        return self._keeps is not None and len(self.stdout) > self._keeps

    @property
    def complaint(self) -> str:
        """The last line that was written to the standard error."""
        lines = self._tail.decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def skip(self, known: Mapping[str, int]) -> None:
        """Leave out the first lines of each stream: an earlier worker has put them into the log."""
        self._known = {STDOUT: known.get("stdout", 0), STDERR: known.get("stderr", 0)}

    def rewind(self) -> None:
        """Expect everything once more, from the beginning."""
        self._repeated = dict(self._seen)

    def take(self, stream: int, content: bytes) -> None:
        """Take a piece of the standard output or error."""
        if stream not in self._lines:
            return
        known = min(self._repeated[stream], len(content))
        self._repeated[stream] -= known
        fresh = content[known:]
        self._seen[stream] += len(fresh)
        if stream == STDERR:
            self._tail = (self._tail + fresh)[-TAIL:]
        elif self._keeps is not None and not self.is_over:
            self.stdout += fresh
        self._write(stream, fresh)

    def end(self) -> None:
        """Write the lines that were never ended."""
        for stream, line in self._lines.items():
            if line:
                self._say(stream, bytes(line))
                line.clear()

    def _write(self, stream: int, fresh: bytes) -> None:
        line = self._lines[stream]
        line += fresh
        *complete, rest = bytes(line).split(b"\n")
        for each in complete:
            self._say(stream, each)
        while len(rest) > LONGEST_LINE:
            self._say(stream, rest[:LONGEST_LINE])
            rest = rest[LONGEST_LINE:]
        line[:] = rest

    def _say(self, stream: int, line: bytes) -> None:
        if self._room <= 0:
            return
        text = line.decode(errors="replace").rstrip("\r")
        self._room -= len(text) + 1
        if self._known[stream] > 0:
            self._known[stream] -= 1
            return
        self._logs[stream](text if self._room > 0 else "the rest of the log is left out: it is too long")
