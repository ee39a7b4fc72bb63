"""The figures of a run, as a table for people and as JSON for programs."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table


@dataclass
class Row:
    """One arm of one load: figures by name, one for each repetition."""

    load: str
    arm: str
    figures: dict[str, list[float]] = field(default_factory=dict)

    def add(self, **figures: float) -> None:
        """Add a repetition."""
        for name, figure in figures.items():
            self.figures.setdefault(name, []).append(round(figure, 2))


def median(row: Row, figure: str) -> float:
    """The median of a figure over the repetitions."""
    return statistics.median(row.figures[figure])


def show(rows: Sequence[Row], console: Console) -> None:
    """Print the table: medians, and the spread where there are several repetitions."""
    table = Table("load", "arm", "figures", title="Cronny and bare Temporal, in one run")
    for row in rows:
        texts = [f"{name} {_spread(values)}" for name, values in row.figures.items()]
        table.add_row(row.load, row.arm, "  ".join(texts))
    console.print(table)


def _spread(values: Sequence[float]) -> str:
    middle = f"{statistics.median(values):g}"
    return f"{middle} [{min(values):g}..{max(values):g}]" if len(values) > 1 else middle
