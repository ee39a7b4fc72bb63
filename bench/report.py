"""The figures of a run, as tables for people and as JSON for programs."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from rich.console import Console
from rich.table import Table


@dataclass
class Row:
    """One arm of one load: figures by name, one for each repetition."""

    load: str
    arm: str
    decides: str = ""  #: The figure that ratios are made of.
    yardstick: str = ""  #: The arm that ratios are made to.
    figures: dict[str, list[float]] = field(default_factory=dict)
    note: str = ""  #: Why figures are missing.

    def add(self, **figures: float) -> None:
        """Add a repetition."""
        for name, figure in figures.items():
            self.figures.setdefault(name, []).append(round(figure, 2))


def ratio(row: Row, rows: Sequence[Row], arm: str) -> float | None:
    """What decides in a row, as a multiple of what another arm of the same load has."""
    other = next((each for each in rows if each.load == row.load and each.arm == arm), None)
    if other is None or not (row.figures.get(row.decides) and other.figures.get(row.decides)):
        return None
    below = statistics.median(other.figures[row.decides])
    return statistics.median(row.figures[row.decides]) / below if below else None


def columns(rows: Sequence[Row]) -> list[str]:
    """The names of the figures that rows have, in the order of their first appearance."""
    return list(dict.fromkeys(name for row in rows for name in row.figures))


def heads(group: Sequence[Row], names: Sequence[str]) -> list[str]:
    """What stands above the cells of a load's rows."""
    yardstick = group[0].yardstick
    return ["arm", *([f"x {yardstick}"] if yardstick else []), *names]


def cells(row: Row, rows: Sequence[Row], names: Sequence[str]) -> list[str]:
    """A row's cells: the arm, the ratio to the yardstick, the figures."""
    to_yardstick = ratio(row, rows, row.yardstick)
    return [
        row.arm,
        *([("" if to_yardstick is None else short(to_yardstick))] if row.yardstick else []),
        *(_spread(row.figures.get(name, ())) for name in names),
    ]


def short(value: float) -> str:
    """A figure with as many digits as say something."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def by_load(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """The rows of each load."""
    return [(load, list(group)) for load, group in groupby(rows, key=lambda row: row.load)]


def show(rows: Sequence[Row], console: Console) -> None:
    """Print a table for each load: medians, and the spread where there are several repetitions."""
    for load, group in by_load(rows):
        names = [name for name in columns(group) if not name.startswith("cpu_") or name == "cpu_ms"]
        table = Table(*map(_words, heads(group, names)), title=load)
        for row in group:
            table.add_row(*cells(row, group, names))
        console.print(table)
        for row in group:
            if row.note:
                console.print(f"{row.arm}: {row.note}", markup=False)
        _show_roles(group, console)


def _show_roles(group: Sequence[Row], console: Console) -> None:
    names = [name for name in columns(group) if name.startswith("cpu_")]
    if not names:
        return
    table = Table("arm", *(name.removeprefix("cpu_").removesuffix("_ms") for name in names))
    table.title = "processor milliseconds for each fire, by role"
    for row in group:
        table.add_row(row.arm, *(_spread(row.figures.get(name, ())) for name in names))
    console.print(table)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _spread(values: Sequence[float]) -> str:
    if not values:
        return ""
    middle = short(statistics.median(values))
    return f"{middle} [{short(min(values))}..{short(max(values))}]" if len(values) > 1 else middle
