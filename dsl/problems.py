"""Problems found in what a tenant wrote: where, what, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches


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
        return f"{file}:{self.line}:{self.column}: {self.where}: {self.what}{hint}"

    def moved(self, line: int, column: int, prefix: str = "") -> "Problem":
        """The same problem at another place, its `where` below `prefix`."""
        where = ".".join(part for part in (prefix, self.where) if part)
        return replace(self, where=where, line=line, column=column)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint with the closest known word, or the empty text when none is close."""
    close = get_close_matches(word, list(known), n=1)
    return f"did you mean '{close[0]}'?" if close else ""
