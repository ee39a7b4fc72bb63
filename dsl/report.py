"""Collect the problems of a document, each at its place."""

from dataclasses import dataclass, field

from dsl.document import Document, Path
from dsl.problems import Problem

MAX_FOUND = 1000  # after that many nobody reads on, and a hostile text could go on for minutes


class EnoughError(Exception):
    """There are so many problems that looking for more is no use."""


@dataclass
class Report:
    """The problems found so far in one document."""

    document: Document
    found: dict[Problem, None] = field(default_factory=dict)

    @property
    def problems(self) -> list[Problem]:
        """The problems in the order in which they were found, each once."""
        return list(self.found)

    def add(
        self, path: Path, what: str, hint: str = "", code: str = "invalid", *, at_key: bool = False
    ) -> None:
        """Note a problem of a value, or of its key; raises EnoughError."""
        line, column = self.document.at(path, at_key)
        self._put(Problem(self.document.where(path), what, hint, code, line, column))

    def add_inside(
        self, path: Path, offset: int, what: str, hint: str = "", code: str = "expression"
    ) -> None:
        """Note a problem of the character at an offset of a text; raises EnoughError."""
        line, column = self.document.at_offset(path, offset)
        self._put(Problem(self.document.where(path), what, hint, code, line, column))

    def _put(self, problem: Problem) -> None:
        self.found[problem] = None
        if len(self.found) >= MAX_FOUND:
            raise EnoughError
