"""Runs loads: in each repetition every arm in turn, on servers that are new in each repetition."""

from collections.abc import Mapping, Sequence

from rich.console import Console

from bench.arm import Arm, NotAvailable
from bench.loads.load import Load
from bench.report import Row
from bench.stand import Stand, standing

console = Console(stderr=True)


def prepared(arms: Sequence[Arm]) -> Mapping[str, str]:
    """Bring in what the arms need; why not, for each arm that cannot be measured here."""
    missing = {}
    for arm in arms:
        console.print(f"preparing {arm.name}")
        try:
            arm.prepare()
        except NotAvailable as error:
            missing[arm.name] = f"not available: {error}"
    return missing


def measured(load: Load, only: Sequence[str], missing: Mapping[str, str], database: str) -> list[Row]:
    """The rows of one load, one for each of its arms (or those that are named only)."""
    arms = [arm for arm in load.arms if not only or arm.name in only]
    rows = [Row(load.title, arm.name, load.decides, load.yardstick) for arm in arms]
    for number in range(load.repeat if arms else 0):
        with standing(database) as stand:
            for row, arm in zip(rows, arms, strict=True):
                row.note = missing.get(arm.name, row.note)
                if arm.name not in missing and not (number and arm in load.once):
                    console.print(f"{load.title}: {arm.name} ({number + 1} of {load.repeat})")
                    _measure(load, stand, arm, row)
    return rows


def _measure(load: Load, stand: Stand, arm: Arm, row: Row) -> None:
    try:
        with arm.servers(stand):
            row.add(**load.run(stand, arm))
    except NotAvailable as error:
        row.note = f"not available: {error}"
    except Exception as error:  # One arm that fails must not cost the figures of the others.
        console.print_exception()
        row.note = f"failed: {type(error).__name__}: {error}"[:200]
