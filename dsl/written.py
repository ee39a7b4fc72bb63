"""Where a character of a text stands in the file, whatever YAML style the text is written in."""

import re
from collections.abc import Sequence

from dsl.events import Mark, Place

_CHARACTERS = {
    "'": re.compile(r"''|[^']"),
    '"': re.compile(
        r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
        r'|\\(?:x.{2}|u.{4}|U.{8}|.)|[^\\"]'
    ),
}


def locate(place: Place, text: str, offset: int, lines: Sequence[str]) -> Mark:
    """Line and column of the character at an offset; where the text begins if that cannot be told."""
    if place.style in _CHARACTERS:
        found = _in_quotes(place, offset, lines)
    elif place.style == "|":
        found = _in_block(place, text, offset, lines)
    else:
        found = _in_rows(place, text, offset, lines)
    return found or (place.line, place.column)


def _in_quotes(place: Place, offset: int, lines: Sequence[str]) -> Mark | None:
    column, rest = place.column, lines[place.line - 1][place.column :]
    character = _CHARACTERS[place.style]
    at = 0
    for _ in range(offset):
        match = character.match(rest, at)
        if match is None:  # The text goes on in the next line.
            return None
        at = match.end()
    return (place.line, column + 1 + at) if character.match(rest, at) else None


def _in_block(place: Place, text: str, offset: int, lines: Sequence[str]) -> Mark | None:
    before = text[:offset]
    row = before.count("\n")
    content = text.split("\n")[row]
    line = place.line + 1 + row
    written = lines[line - 1] if line <= len(lines) else ""
    if not content or not written.endswith(content):
        return None
    return line, len(written) - len(content) + offset - (before.rfind("\n") + 1) + 1


def _in_rows(place: Place, text: str, offset: int, lines: Sequence[str]) -> Mark | None:
    """In a plain or a folded text, whose rows are joined by single spaces."""
    first, skipped = (place.line, 0) if place.style == ">" else (place.line - 1, place.column - 1)
    at = 0
    for number in range(first, len(lines)):
        row = lines[number][skipped:]
        content, column = row.strip(), skipped + len(row) - len(row.lstrip()) + 1
        skipped, rest = 0, text[at:]
        if not content:
            at += rest.startswith("\n")
            continue
        is_whole = rest.startswith(content) and rest[len(content) : len(content) + 1] in (" ", "\n")
        if not is_whole and not content.startswith(rest.rstrip("\n")):
            return None
        if not is_whole or offset < at + len(content):
            return number + 1, column + offset - at
        at += len(content) + 1
    return None
