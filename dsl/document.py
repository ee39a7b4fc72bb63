"""Read YAML 1.2 (and so JSON) into plain values that remember where they were written."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from dsl.events import Place, Reader, end_of
from dsl.problems import Problem
from dsl.written import locate

Path = tuple[str | int, ...]

MAX_BYTES = 512 * 1024  # an action is written by people; larger bodies are mistakes
WHERE_WIDTH = 64  # characters of a key; no id is longer


@dataclass(frozen=True)
class Document:
    """A value and the place of each of its parts."""

    value: JsonValue
    places: Mapping[Path, Place] = field(default_factory=dict)
    lines: tuple[str, ...] = ()

    def at(self, path: Path, key: bool = False) -> tuple[int, int]:
        """Line and column of a value, or of its key; of the nearest known ancestor if it is not there."""
        while path and path not in self.places:
            path, key = path[:-1], False
        place = self.places.get(path)
        if place is None:
            return 1, 1
        return place.key if key and place.key else (place.line, place.column)

    def at_offset(self, path: Path, offset: int) -> tuple[int, int]:
        """Line and column of a character of a text; of the text's beginning if it cannot be told."""
        place, text = self.places.get(path), self._text(path)
        if place is None or text is None:
            return self.at(path)
        return locate(place, text, offset, self.lines)

    def present(self, path: Path) -> Path:
        """The path as far as there is something."""
        value = self.value
        for length, part in enumerate(path):
            if not has_child(value, part):
                return path[:length]
            value = child_of(value, part)
        return path

    def where(self, path: Path) -> str:
        """The path for people, with ids in place of indexes: `stages.fetch.with.url`."""
        words, value = "", self.value
        for part in path:
            value = child_of(value, part)
            name = value.get("id") if isinstance(value, dict) and isinstance(part, int) else part
            words += f".{name[:WHERE_WIDTH]}" if isinstance(name, str) and name else f"[{part}]"
        return words.removeprefix(".") or "document"

    def _text(self, path: Path) -> str | None:
        value = self.value
        for part in path:
            value = child_of(value, part)
        return value if isinstance(value, str) else None


def has_child(value: JsonValue, part: str | int) -> bool:
    """Whether a mapping has a key, or a list an index."""
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)


def child_of(value: JsonValue, part: str | int) -> JsonValue:
    """What stands at a key or an index; None if nothing does."""
    if isinstance(value, dict) and isinstance(part, str):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def read_document(text: str | bytes) -> tuple[Document | None, list[Problem]]:
    """The document of a text, or None if it cannot be read, and the problems of reading it."""
    if len(text) > MAX_BYTES:
        return None, [_problem(f"larger than {MAX_BYTES // 1024} KiB", "too_large")]
    decoded, problem = _decoded(text)
    if problem:
        return None, [problem]
    reader = Reader()
    if not reader.read(decoded):
        return None, [problem for _, problem in reader.problems]
    document = Document(reader.value, reader.places, tuple(decoded.splitlines()))
    return document, [
        replace(problem, where=document.where(document.present(path))) for path, problem in reader.problems
    ]


def _decoded(text: str | bytes) -> tuple[str, Problem | None]:
    try:
        raw = text.encode() if isinstance(text, str) else text
        return raw.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        mark = end_of(raw[: error.start].decode("utf-8-sig"))
        return "", _problem("not UTF-8 text", "syntax", *mark, hint="save it as UTF-8")
    except UnicodeEncodeError:
        return "", _problem("not Unicode text", "syntax")


def _problem(what: str, code: str, line: int = 1, column: int = 1, hint: str = "") -> Problem:
    return Problem("document", what, hint, code, line, column)
