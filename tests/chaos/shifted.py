"""Cronny's worker on a clock that a test steps: `python -m tests.chaos.shifted`.

The file that CRONNY_TEST_CLOCK names holds the seconds by which its clock is wrong.
"""

import asyncio
import os
from datetime import datetime, timedelta
from pathlib import Path

from cronny.clock import wall_clock
from cronny.logs import configure_logging
from cronny.settings import Settings
from worker import serve

CLOCK = "CRONNY_TEST_CLOCK"


def shifted_clock() -> datetime:
    """Now, as the worker believes."""
    return wall_clock() + timedelta(seconds=float(Path(os.environ[CLOCK]).read_text()))


def set_clock(path: Path, wrong: timedelta) -> None:
    """Step the clock of the workers that look at this file."""
    beside = path.with_suffix(".new")
    beside.write_text(str(wrong.total_seconds()))
    beside.replace(path)


if __name__ == "__main__":
    settings = Settings()
    configure_logging(settings.log_format)
    asyncio.run(serve(settings, clock=shifted_clock))
