"""`python -m bench`: the loads one after the other, every arm of each in turn, in one run."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from bench.arms import ALL
from bench.loads import ALONE, NAMES, QUICK, QUICK_LOADS, USUAL, Extent, loads
from bench.measure import measured, prepared
from bench.report import Row, show
from bench.versions import surroundings

WIDTH = 180  # columns, where there is no terminal that has a width


def main() -> None:
    """Run what was asked for; print tables, and write JSON where a file is named."""
    wanted = _arguments()
    extent = _extent(wanted)
    names = wanted.loads or (QUICK_LOADS if wanted.quick else (*USUAL, *ALONE))
    chosen = loads(names, extent)
    only = [name.strip() for name in wanted.arms.split(",") if name.strip()]
    arms = [arm for arm in ALL if (not only or arm.name in only) and any(arm in load.arms for load in chosen)]
    missing = prepared(arms)
    rows = [row for name in names if name in ALONE for row in ALONE[name]()]
    _write(rows, wanted.json)
    for load in chosen:
        rows += measured(load, only, missing, wanted.database)
        _write(rows, wanted.json)  # What is measured is kept, even if the run is cut short.
    show(rows, Console(width=None if sys.stdout.isatty() else WIDTH))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("bench", description=__doc__)
    parser.add_argument("loads", nargs="*", help=f"of {', '.join(NAMES)}; all but idle when none is named")
    parser.add_argument("--arms", default="", help=f"of {', '.join(arm.name for arm in ALL)}, with commas")
    parser.add_argument("--database", choices=("postgres", "sqlite"), default="postgres")
    parser.add_argument("--count", type=int, help="schedules of the herd, of the recovery, or idle")
    parser.add_argument("--rate", type=int, help="fires a second of the steady load")
    parser.add_argument("--seconds", type=int, help="of the steady load")
    parser.add_argument("--repeat", type=int, help="times each arm is measured")
    parser.add_argument("--quick", action="store_true", help="small counts, to see that everything works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    wanted = parser.parse_args()
    unknown = [name for name in wanted.loads if name not in NAMES]
    if unknown:
        parser.error(f"no load {unknown[0]!r}; there are {', '.join(NAMES)}")
    return wanted


def _extent(wanted: argparse.Namespace) -> Extent:
    usual = QUICK if wanted.quick else Extent()
    return Extent(
        count=wanted.count or usual.count,
        rates=(wanted.rate,) if wanted.rate else usual.rates,
        seconds=wanted.seconds or usual.seconds,
        repeat=wanted.repeat or usual.repeat,
    )


def _write(rows: list[Row], path: Path | None) -> None:
    if path is not None:
        found = {"surroundings": surroundings(), "rows": [asdict(row) for row in rows]}
        path.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
