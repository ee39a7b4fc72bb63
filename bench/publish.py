"""`python -m bench.publish FILE.json…`: writes figures of runs into docs/performance.md, and its picture."""

import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.arms import CRONNY
from bench.goals import GOALS, HERD, STEADY
from bench.picture import Bar, picture
from bench.report import Row, by_load, cells, columns, heads, short
from bench.stand import ROOT

PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "pictures" / "punctuality.svg"
BEGIN, END = "<!-- figures: written by bench.publish -->\n", "<!-- end of figures -->\n"
PICTURED = (HERD, STEADY, "steady 25/s")


def main() -> None:
    """Publish the runs of some files, later ones over earlier ones."""
    runs = [json.loads(Path(name).read_text()) for name in sys.argv[1:]]
    rows = merged([Row(**row) for run in runs for row in run["rows"]])
    text = PAGE.read_text()
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{figures(rows, runs[-1]['surroundings'])}\n{END}{after}")
    PICTURE.write_text(picture([(load, bars(rows, load)) for load in PICTURED if bars(rows, load)], "ms"))


def merged(rows: Sequence[Row]) -> list[Row]:
    """One row for each arm of each load, the last one given; loads stay together."""
    last = {(row.load, row.arm): row for row in rows}
    order = list(dict.fromkeys(row.load for row in rows))
    return sorted(last.values(), key=lambda row: order.index(row.load))


def bars(rows: Sequence[Row], load: str) -> list[Bar]:
    """The lateness p99 of every arm of a load, for the picture."""
    found = [(row, row.figures["p99_ms"]) for row in rows if row.load == load and row.figures.get("p99_ms")]
    return [
        Bar(row.arm, min(late), statistics.median(late), max(late), row.arm == CRONNY.name)
        for row, late in found
    ]


def figures(rows: Sequence[Row], surroundings: dict[str, str]) -> str:
    """The goals, a table for each load, and what it was measured on, in Markdown."""
    parts = ["\n".join(_goals(rows))]
    for load, group in by_load(rows):
        names = columns(group)
        head = [name.replace("_", " ") for name in heads(group, names)]
        lines = [_line(head), _line(["---"] * len(head)), *(_line(cells(row, group, names)) for row in group)]
        notes = [f"\n{row.arm}: {' '.join(row.note.split())}" for row in group if row.note]
        parts.append("\n".join([f"### {load[:1].upper()}{load[1:]}\n", *lines, *notes]))
    parts.append(
        "\n".join(["### Measured on\n", *(f"- {what}: {text}" for what, text in surroundings.items())])
    )
    return "\n\n".join(parts) + "\n"


def _goals(rows: Sequence[Row]) -> Iterator[str]:
    yield "### Goals\n"
    yield _line(["goal", "limit", "measured", ""])
    yield _line(["---"] * 4)
    for goal in GOALS:
        value = goal.measured(rows)
        limit = f"{'≥' if goal.is_floor else '≤'} {goal.limit:g}"
        verdict = "not measured" if value is None else "met" if goal.is_met(value) else "**missed**"
        yield _line([goal.text, limit, "" if value is None else short(value), verdict])


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"


if __name__ == "__main__":
    main()
