"""Values of any size, to a file or to standard output."""

import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

from cronny.errors import SettingsError

UNITS = ("B", "kB", "MB", "GB")


def place_of_value(trigger: str, stage: str | None, item: int | None, value: str) -> tuple[str, ...]:
    """Where the API has a value; raises SettingsError for what cannot be meant."""
    if stage is None:
        if item is not None or value == "input":
            raise SettingsError("--item and --input are of a stage: name it behind the trigger")
        return "triggers", trigger, "outputs"
    of_item = () if item is None else ("items", str(item))
    return "triggers", trigger, "stages", stage, *of_item, "values", value


def save(pieces: Iterable[tuple[bytes, int]], file: Path | None) -> None:
    """Write what comes; a file appears only when all of it is there."""
    if file is None:
        for piece, _ in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.write(b"\n")
        return
    aside = file.with_name(f"{file.name}.part")
    try:
        _write(pieces, aside)
        aside.replace(file)
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            aside.unlink()


def size_text(size: int) -> str:
    """A number of bytes for people."""
    amount, unit = float(size), 0
    while amount >= 1000 and unit < len(UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.1f} {UNITS[unit]}" if unit else f"{size} B"


def _write(pieces: Iterable[tuple[bytes, int]], aside: Path) -> None:
    columns = BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with (
        aside.open("wb") as out,
        Progress(*columns, console=Console(stderr=True), transient=True) as progress,
    ):
        task = progress.add_task("", total=None)
        for piece, total in pieces:
            out.write(piece)
            progress.update(task, advance=len(piece), total=total or None)
