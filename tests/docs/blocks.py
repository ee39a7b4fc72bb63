"""The fenced blocks and the tables of a Markdown document."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile, zip_longest
from pathlib import Path

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, and the one after it."""

    place: str
    language: str
    text: str
    following: str


def blocks(path: Path) -> Iterator[Block]:
    """The fenced blocks in order; `following` is the text of a `text` block that comes right after."""
    document = path.read_text()
    found = list(_FENCE.finditer(document))
    for match, later in zip_longest(found, found[1:]):
        is_next = later and later[1] == "text" and not document[match.end() : later.start()].strip()
        line = document.count("\n", 0, match.start()) + 1
        yield Block(f"{path.name}:{line}", match[1], match[2], later[2] if later and is_next else "")


def rows(path: Path, *header: str) -> list[list[str]]:
    """The cells of every table with that header, each the list of its `code` texts joined by a space."""
    head = "| " + " | ".join(header) + " |\n"
    tables = path.read_text().split(head)[1:]
    lines = [line for table in tables for line in takewhile(_is_row, table.splitlines()[1:])]
    return [[" ".join(_CODE.findall(cell)) for cell in line.strip("|").split("|")] for line in lines]


def _is_row(line: str) -> bool:
    return line.startswith("|")
