"""`python -m bench`: the loads one after the other, the arms of each in turn, on the same servers."""

import argparse
import asyncio
import json
import statistics
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from rich.console import Console

from bench import work
from bench.lists import lists
from bench.meter import cpu_seconds, machine, spent
from bench.report import Row, show
from bench.sink import Hit, lateness
from bench.stand import Stand, standing

LOADS = ("herd", "steady", "chain", "events")
ALONE = ("lists",)  # on databases of their own, only if asked for
Workers = Callable[[Stand], ExitStack]

console = Console(stderr=True)


def main() -> None:
    """Run what was asked for and print a table, or JSON."""
    wanted = _arguments()
    rows: list[Row] = []
    if "lists" in wanted.loads:
        for kind in ("sqlite", "postgres"):
            console.print(f"lists of 100 000 rows, {kind}")
            rows += asyncio.run(lists(kind))
    if loads := [load for load in wanted.loads if load not in ALONE]:
        with standing(wanted.database) as stand:
            for load in loads:
                rows += _LOADS[load](stand, wanted)
    if wanted.json:
        sys.stdout.write(
            json.dumps({"machine": machine(), "rows": [asdict(row) for row in rows]}, indent=2) + "\n"
        )
    else:
        show(rows, Console())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("bench", description=__doc__)
    parser.add_argument("loads", nargs="*", choices=[*LOADS, *ALONE], default=list(LOADS))
    parser.add_argument("--database", choices=("postgres", "sqlite"), default="postgres")
    parser.add_argument("--count", type=int, default=1000, help="fires of the herd")
    parser.add_argument("--rate", type=int, default=10, help="fires a second of the steady load")
    parser.add_argument("--seconds", type=int, default=30, help="of the steady load")
    parser.add_argument("--repeat", type=int, default=1, help="times each arm is measured")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _herd(stand: Stand, wanted: argparse.Namespace) -> list[Row]:
    count = wanted.count
    arms: list[tuple[str, Workers, Callable[[], Coroutine[Any, Any, list[Hit]]]]] = [
        ("cronny", work.cronny_workers, lambda: work.cronny_herd(stand, count)),
        ("bare sleepers", work.bare_workers, lambda: work.bare_herd(stand, count, has_child=False)),
        ("bare child at due", work.bare_workers, lambda: work.bare_herd(stand, count, has_child=True)),
    ]
    return _interleaved(stand, f"herd of {count}", arms, wanted.repeat, count)


def _steady(stand: Stand, wanted: argparse.Namespace) -> list[Row]:
    rate, seconds = wanted.rate, wanted.seconds
    arms: list[tuple[str, Workers, Callable[[], Coroutine[Any, Any, list[Hit]]]]] = [
        ("cronny", work.cronny_workers, lambda: work.cronny_steady(stand, rate, seconds)),
        ("bare child at due", work.bare_workers, lambda: work.bare_steady(stand, rate, seconds)),
    ]
    return _interleaved(stand, f"steady {rate}/s", arms, wanted.repeat, rate * seconds)


def _interleaved(
    stand: Stand,
    load: str,
    arms: Sequence[tuple[str, Workers, Callable[[], Coroutine[Any, Any, list[Hit]]]]],
    repeat: int,
    expected: int,
) -> list[Row]:
    rows = [Row(load, name) for name, _, _ in arms]
    for number in range(repeat):
        for row, (name, workers, run) in zip(rows, arms, strict=True):
            console.print(f"{load}: {name} ({number + 1} of {repeat})")
            with workers(stand):
                before = cpu_seconds(stand.pids)
                hits = asyncio.run(run())
                cpu = spent(before, cpu_seconds(stand.pids))
            _note(row, hits, expected, cpu)
    return rows


def _note(row: Row, hits: list[Hit], expected: int, cpu: dict[str, float]) -> None:
    if not hits:
        row.add(lost=expected)
        return
    late = lateness(hits)
    row.add(
        p50_ms=late.p50,
        p99_ms=late.p99,
        worst_ms=late.worst,
        earliest_ms=late.earliest,
        lost=expected - (late.count - late.twice),
        twice=late.twice,
        **{f"cpu_{role}_s": seconds for role, seconds in cpu.items()},
    )


def _chain(stand: Stand, wanted: argparse.Namespace) -> list[Row]:
    rows = [Row("chain of 40", "cronny"), Row("chain of 40", "bare activities")]
    times = 10
    for number in range(wanted.repeat):
        console.print(f"chain of 40 ({number + 1} of {wanted.repeat})")
        with work.cronny_workers(stand):
            seconds = asyncio.run(work.cronny_chain(stand, 40, times))
            rows[0].add(ms=statistics.median(seconds) * 1000)
        with work.bare_workers(stand):
            seconds = asyncio.run(work.bare_chain(stand, 40, times))
            rows[1].add(ms=statistics.median(seconds) * 1000)
    return rows


def _events(stand: Stand, wanted: argparse.Namespace) -> list[Row]:
    row = Row("history events", "cronny")
    console.print("history events, 3 fires of a schedule of 61 seconds")
    with work.cronny_workers(stand):
        parent, child = asyncio.run(work.cronny_events(stand, 3))
    row.add(a_fire_in_the_schedule=parent, one_stage_trigger=child)
    return [row]


_LOADS: dict[str, Callable[[Stand, argparse.Namespace], list[Row]]] = {
    "herd": _herd,
    "steady": _steady,
    "chain": _chain,
    "events": _events,
}

if __name__ == "__main__":
    main()
