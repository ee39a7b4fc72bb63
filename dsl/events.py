"""Turn the events of a YAML parser into plain values and places, within limits."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import yaml
from pydantic import JsonValue
from yaml._yaml import Mark as CMark
from yaml.reader import ReaderError

from dsl.problems import Problem

MAX_DEPTH = 60
MAX_NODES = 20_000

Path = tuple[str | int, ...]
Mark = tuple[int, int]

_INT = re.compile(r"[-+]?[0-9]+\Z")
_BASED = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_ENDLESS = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_WORDS: dict[str, JsonValue] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_ESCAPE = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|\\.", re.DOTALL)
_EMPTY_HINT = "an action has at least a name and stages"
_PAIR_WIDTH, _JOINED_WIDTH = 12, 10


class Place(NamedTuple):
    """Where a value stands, counting from 1, and in which style its text is written."""

    line: int
    column: int
    key: Mark | None = None
    style: str = ""  #: A quote, `|`, `>`, or nothing for a plain text.


class _UnreadableError(Exception):
    def __init__(self, what: str, mark: Mark, code: str = "syntax", hint: str = "") -> None:
        self.problem = Problem("document", what, hint, code, *mark)


@dataclass
class _Frame:
    value: dict[str, JsonValue] | list[JsonValue]
    path: Path
    key: str | None = None
    mark: Mark | None = None
    is_duplicate: bool = False


class Reader:
    """Reads one YAML document; what it finds wrong on the way is in `problems`, each with its path."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self.value: JsonValue = None
        self.places: dict[Path, Place] = {}
        self.problems: list[tuple[Path, Problem]] = []
        self._frames: list[_Frame] = []
        self._documents = 0
        self._pairs: dict[int, list[int]] = {}

    def read(self, text: str) -> bool:
        """Whether the text is a YAML document; `value` and `places` then hold it."""
        text = self._join_pairs(text)
        try:
            for event in yaml.parse(text, Loader=yaml.CSafeLoader):
                self._take(event)
        except yaml.MarkedYAMLError as error:
            self.problems.append(((), self._syntax(error, text)))
        except ReaderError as error:
            self.problems.append(((), _strange_character(error, text)))
        except _UnreadableError as error:
            self.problems.append(((), error.problem))
        else:
            if self._documents:
                return True
            self.problems.append(((), Problem("document", "is empty", _EMPTY_HINT, "syntax")))
        return False

    def _take(self, event: yaml.Event) -> None:
        match event:
            case yaml.NodeEvent():
                mark = self._mark(event.start_mark)
                self._refuse_extras(event, mark)
                self._take_node(event, mark)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._frames.pop()
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise _UnreadableError("only one document is allowed", self._mark(event.start_mark))

    def _take_node(self, event: yaml.NodeEvent, mark: Mark) -> None:
        frame = self._frames[-1] if self._frames else None
        if frame and isinstance(frame.value, dict) and frame.key is None:
            self._take_key(event, frame, mark)
            return
        match event:
            case yaml.MappingStartEvent():
                self._open({}, mark)
            case yaml.SequenceStartEvent():
                self._open([], mark)
            case yaml.ScalarEvent():
                self._put(self._scalar(event, mark), Place(*mark, style=event.style or ""))
            case _:
                self._put(None, Place(*mark))

    def _take_key(self, event: yaml.NodeEvent, frame: _Frame, mark: Mark) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            raise _UnreadableError("a key must be a plain text", mark)
        frame.key, frame.mark = event.value, mark
        frame.is_duplicate = event.value in frame.value
        if frame.is_duplicate:
            self._report(f"the key '{event.value[:60]}' is there already", mark, "duplicate")

    def _open(self, container: dict[str, JsonValue] | list[JsonValue], mark: Mark) -> None:
        path = self._put(container, Place(*mark))
        self._frames.append(_Frame(container, path))
        if len(self._frames) > MAX_DEPTH:
            raise _UnreadableError(f"nested deeper than {MAX_DEPTH} levels", mark, "too_large")

    def _put(self, value: JsonValue, place: Place) -> Path:
        if len(self.places) >= MAX_NODES:
            raise _UnreadableError(f"more than {MAX_NODES} values", (place.line, place.column), "too_large")
        if not self._frames:
            self.value = value
            path: Path = ()
        else:
            path, place = self._attach(self._frames[-1], value, place)
        self.places.setdefault(path, place)
        return path

    def _attach(self, frame: _Frame, value: JsonValue, place: Place) -> tuple[Path, Place]:
        if isinstance(frame.value, list):
            frame.value.append(value)
            return (*frame.path, len(frame.value) - 1), place
        key, frame.key = frame.key or "", None
        if frame.is_duplicate:  # The first one counts; the second is read only for its own problems.
            return (*frame.path, key, "again", len(self.places)), place
        frame.value[key] = value
        return (*frame.path, key), place._replace(key=frame.mark)

    def _scalar(self, event: yaml.ScalarEvent, mark: Mark) -> JsonValue:
        text = event.value
        if not event.implicit[0] or (text not in _WORDS and text[0] not in "+-.0123456789"):
            return text
        try:
            return plain_value(text)
        except ValueError as error:
            self._report(str(error), mark, "number", "put it in quotes if it is a text")
            return None

    def _refuse_extras(self, event: yaml.NodeEvent, mark: Mark) -> None:
        if isinstance(event, yaml.AliasEvent):
            hint = "put a text that begins with * in quotes"
            self._report("aliases are not allowed", mark, "syntax", hint)
        elif event.anchor is not None:
            hint = "put a text that begins with & in quotes"
            self._report("anchors are not allowed", mark, "syntax", hint)
        if getattr(event, "tag", None) is not None:
            hint = "put a text that begins with ! in quotes"
            self._report("tags are not allowed", mark, "syntax", hint)

    def _report(self, what: str, mark: Mark, code: str, hint: str = "") -> None:
        self.problems.append((self._here(), Problem("document", what, hint, code, *mark)))

    def _here(self) -> Path:
        """The path of what is being read."""
        frame = self._frames[-1] if self._frames else None
        if frame is None:
            return ()
        if isinstance(frame.value, list):
            return (*frame.path, len(frame.value))
        return frame.path if frame.key is None else (*frame.path, frame.key)

    def _syntax(self, error: yaml.MarkedYAMLError, text: str) -> Problem:
        found = error.problem_mark or error.context_mark
        mark = self._mark(found)
        what = ", ".join(part for part in (error.context, error.problem) if part) or "not YAML"
        began = self._mark(error.context_mark)
        hint = _syntax_hint(text.splitlines(), mark[0], what)
        if not hint and error.context_mark and began[0] != mark[0]:
            hint = f"it begins at line {began[0]}, column {began[1]}"
        return Problem("document", what, hint, "syntax", *mark)

    def _join_pairs(self, text: str) -> str:
        """JSON writes characters beyond U+FFFF as two escapes, YAML as one; the joined ones are noted."""
        if text.lstrip()[:1] not in ("{", "[") or "\\u" not in text:
            return text
        rows = text.split("\n")
        for number, row in enumerate(rows):
            found: list[int] = []
            rows[number] = _ESCAPE.sub(_joiner(found), row)
            if found:
                self._pairs[number] = found
        return "\n".join(rows)

    def _mark(self, mark: yaml.Mark | CMark | None) -> Mark:
        if mark is None:
            return 1, 1
        pairs = self._pairs.get(mark.line, ())
        narrowed = _PAIR_WIDTH - _JOINED_WIDTH
        before = sum(mark.column > start - narrowed * i for i, start in enumerate(pairs))
        return mark.line + 1, mark.column + 1 + narrowed * before


def plain_value(text: str) -> JsonValue:
    """What a text without quotes stands for in YAML 1.2; raises ValueError for numbers that JSON has not."""
    if text in _WORDS:
        return _WORDS[text]
    if _ENDLESS.match(text):
        raise ValueError(f"{text} is not a number that JSON knows")
    if _BASED.match(text):
        return _within(int(text, 0), text)
    if _INT.match(text):
        return _within(int(text) if len(text) < 40 else 1 << 64, text)
    if _FLOAT.match(text):
        number = float(text)
        return number if math.isfinite(number) else _within(1 << 64, text)
    return text


def _within(number: int, text: str) -> int:
    if not -(1 << 63) <= number < 1 << 63:
        raise ValueError(f"the number {text[:30]} is too large")
    return number


def _joiner(found: list[int]) -> Callable[[re.Match[str]], str]:
    def join(escape: re.Match[str]) -> str:
        if not escape[1]:
            return escape[0]
        found.append(escape.start())
        high, low = int(escape[1], 16), int(escape[2], 16)
        return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"

    return join


def _strange_character(error: ReaderError, text: str) -> Problem:
    # The position counts characters of a text here, but libyaml was given its bytes.
    mark = end_of(text.encode()[: error.position].decode(errors="ignore"))
    return Problem("document", f"{error.reason} (U+{error.character:04X})", "", "syntax", *mark)


def end_of(text: str) -> Mark:
    """Line and column of what follows a text."""
    rows = f"{text}|".splitlines()
    return len(rows), len(rows[-1])


def _syntax_hint(lines: list[str], number: int, what: str) -> str:
    line = lines[number - 1] if number <= len(lines) else ""
    if "${{" in line:
        return "put quotes around a text that contains ${{ }}"
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "indent with spaces, not with tabs"
    if re.search(r"[:\-]\s+[*&!%@`{\[]", line):
        return "put quotes around a text that begins with one of * & ! % @ ` { ["
    if "mapping values are not allowed" in what:
        return "put quotes around a text that contains ': ', or check how the line is indented"
    return ""
