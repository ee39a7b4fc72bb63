"""Problems found in what a tenant wrote: where, what, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches

MAX_KNOWN = 15  # words that a hint lists


@dataclass(frozen=True)
class Problem:
    """One thing wrong at one place of a text; lines and columns count from 1."""

    where: str
    what: str
    hint: str = ""
    code: str = "invalid"
    line: int = 1
    column: int = 1

    def render(self, file: str) -> str:
        """The problem as one line, `FILE:LINE:COLUMN: where: what; hint`."""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{file}:{self.line}:{self.column}: " + _one_line(f"{self.where}: {self.what}{hint}")

    def moved(self, line: int, column: int, prefix: str = "") -> "Problem":
        """The same problem at another place, its `where` below `prefix`."""
        where = ".".join(part for part in (prefix, self.where) if part)
        return replace(self, where=where, line=line, column=column)


def _one_line(text: str) -> str:
    """The text with everything escaped that would break the line or hide in it."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def known_hint(thing: str, known: Iterable[str]) -> str:
    """A hint that lists the first known words: `the stages are fetch, insert`."""
    words = list(known)
    more = ", …" if len(words) > MAX_KNOWN else ""
    return f"the {thing} are {', '.join(words[:MAX_KNOWN])}{more}" if words else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint with the closest known word, or the empty text when none is close."""
    close = get_close_matches(word, list(known), n=1)
    return f"did you mean '{close[0]}'?" if close else ""
