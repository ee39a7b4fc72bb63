"""Collect the problems of a document, each at its place."""

from dataclasses import dataclass, field

from dsl.document import Document, Path
from dsl.problems import Problem


@dataclass
class Report:
    """The problems found so far in one document."""

    document: Document
    problems: list[Problem] = field(default_factory=list)

    def add(
        self, path: Path, what: str, hint: str = "", code: str = "invalid", *, at_key: bool = False
    ) -> None:
        """Note a problem of a value, or of its key."""
        line, column = self.document.at(path, at_key)
        self._put(Problem(self.document.where(path), what, hint, code, line, column))

    def add_inside(
        self, path: Path, offset: int, what: str, hint: str = "", code: str = "expression"
    ) -> None:
        """Note a problem of the character at an offset of a text."""
        line, column = self.document.at_offset(path, offset)
        self._put(Problem(self.document.where(path), what, hint, code, line, column))

    def _put(self, problem: Problem) -> None:
        if problem not in self.problems:
            self.problems.append(problem)
