"""The YAML files that a command is given."""

import sys
from collections.abc import Iterable
from pathlib import Path

from dsl.document import MAX_BYTES
from dsl.problems import Problem

STDIN = "-"
SUFFIXES = (".yaml", ".yml", ".json")


def expand(names: Iterable[str]) -> list[str]:
    """The files, and those within the folders by name; hidden ones are left out."""
    found: list[str] = []
    for name in names:
        folder = Path(name)
        inside = _inside(folder) if name != STDIN and folder.is_dir() else [name]
        found += [file for file in inside if file not in found]
    return found


def read(name: str) -> bytes | Problem:
    """The content of a file or of standard input, or why there is none."""
    try:
        if name == STDIN:
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with Path(name).open("rb") as file:
            return file.read(MAX_BYTES + 1)  # What is longer is refused by whoever reads it.
    except OSError as error:
        return Problem("file", f"cannot be read: {error.strerror or error}", code="unreadable")


def shown(name: str) -> str:
    """The name of a file in a message."""
    return "<stdin>" if name == STDIN else name


def _inside(folder: Path) -> list[str]:
    files = (path for path in sorted(folder.rglob("*")) if path.suffix in SUFFIXES and path.is_file())
    return [str(path) for path in files if not _is_hidden(path.relative_to(folder))]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
