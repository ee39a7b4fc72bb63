"""What the processes of each role take: processor time and memory."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

import psutil


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Processor seconds so far of each role's process and its children, those that have ended included."""
    return {role: sum(_over(pid, _cpu)) for role, pid in pids.items()}


def memory_mib(pids: Mapping[str, int]) -> dict[str, float]:
    """Memory that each role's processes have to themselves, in MiB."""
    return {role: sum(_over(pid, _memory)) for role, pid in pids.items()}


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What each role took in between."""
    return {role: round(seconds - before.get(role, 0.0), 2) for role, seconds in after.items()}


def _over(pid: int, measure: Callable[[psutil.Process], float]) -> Iterator[float]:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                yield measure(one)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _memory(process: psutil.Process) -> float:
    return float(process.memory_full_info().uss) / 2**20
