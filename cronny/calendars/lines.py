"""A content line of an iCalendar file, and what is wrong at it."""

from dataclasses import dataclass

from icalendar.parser import Contentline

from dsl.problems import Problem


class LineError(Exception):
    """Something is wrong at one line."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.what)


@dataclass(frozen=True)
class Line:
    """One unfolded line, `NAME;PARAMETER=…:value`, and the number of the row where it begins."""

    number: int
    text: str

    @property
    def name(self) -> str:
        """The name before the parameters and the value."""
        return self.text.partition(":")[0].partition(";")[0].strip().upper()

    @property
    def rest(self) -> str:
        """What stands behind the first colon."""
        return self.text.partition(":")[2].strip()

    def value(self) -> str:
        """The value; raises LineError."""
        try:
            line = Contentline(self.text)  # type: ignore[no-untyped-call]
            return str(line.parts()[2])
        except ValueError:
            raise self.error(self.name, "the line cannot be read", "write NAME:VALUE", "syntax") from None

    def error(self, where: str, what: str, hint: str = "", code: str = "invalid") -> LineError:
        """The error that something is wrong here."""
        return LineError(Problem(where, what, hint, code, self.number))
