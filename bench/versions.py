"""What a run was made on: the machine, and the versions of everything measured."""

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import psutil

from bench.arms.peers import APSCHEDULER, DBOS, RESTATE, RESTATE_SERVER
from cronny.temporal.binary import obtain, user_cache
from tests.servers import postgres


def surroundings() -> Mapping[str, str]:
    """The machine and the versions."""
    memory = psutil.virtual_memory().total / 2**30
    return {
        "machine": f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB",
        "python": platform.python_version(),
        "temporal": _said(str(obtain(user_cache(), lambda line: None)), "--version"),
        "temporal sdk": version("temporalio"),
        "postgresql": _said(str(postgres.programs() / "postgres"), "--version"),
        "dbos": DBOS[0],
        "apscheduler": APSCHEDULER[0],
        "restate": f"{RESTATE_SERVER.rpartition('/')[2]}, {RESTATE[0]}",
    }


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
