"""Schedules that are far from due: what they take in memory, in databases and in processor time."""

import asyncio
import time
from functools import partial

import asyncpg

from bench.arm import Arm, gathered
from bench.arms import APS, BARE_SLEEPERS, CRONNY, DBOS_SCHEDULES, RESTATE
from bench.arms.cronny import accepted, ready
from bench.loads.load import Figures, Load
from bench.meter import cpu_seconds, memory_mib, spent
from bench.stand import Stand

DAY = 86_400.0  # seconds
SETTLE = 10.0  # seconds after which the set-up has left the processors
WATCHED = 20.0  # seconds of idling that are measured
WOKEN = 200  # schedules
WINDOW, LOOKS, LOW = 5.0, 60, 0.3  # seconds, times, and of one core: what counts as idle


def idle(count: int, repeat: int) -> Load:
    """The load: so many schedules due in a day."""
    arms = [CRONNY, BARE_SLEEPERS, DBOS_SCHEDULES, RESTATE, APS]
    return Load(
        f"{count} idle", arms, partial(_run, count), "server_kib_each", BARE_SLEEPERS.name, repeat=repeat
    )


def _run(count: int, stand: Stand, arm: Arm) -> Figures:
    with arm.worker(stand):
        time.sleep(SETTLE)
        memory, size = memory_mib(stand.pids), asyncio.run(_kept_kib(stand))
        began = time.monotonic()
        asyncio.run(arm.once(stand, "idle", [float(int(time.time() + DAY))] * count))
        set_up = time.monotonic() - began
        _settle(stand)
    with arm.worker(stand):  # A new one: it has nothing cached.
        time.sleep(SETTLE)
        _settle(stand)
        found = {
            "set_up_s": set_up,
            **_grown(size, asyncio.run(_kept_kib(stand)), count),
            **_kept_in_memory(stand, memory, count),
            **_idling(stand),
        }
        if arm is CRONNY:
            idle = found["idle_worker_percent"] / 100
            found["cold_wake_worker_ms"] = asyncio.run(_woken(stand, min(WOKEN, count), idle))
    return found


def _settle(stand: Stand) -> None:
    """Return when what the set-up has left to do is done, or takes too long."""
    for _ in range(LOOKS):
        before = cpu_seconds(stand.pids)
        time.sleep(WINDOW)
        if sum(spent(before, cpu_seconds(stand.pids)).values()) < WINDOW * LOW:
            return


def _kept_in_memory(stand: Stand, before: dict[str, float], count: int) -> Figures:
    after = memory_mib(stand.pids)
    return {f"memory_{role}_kib_each": 1024 * (after[role] - before[role]) / count for role in before}


def _idling(stand: Stand) -> Figures:
    before = cpu_seconds(stand.pids)
    time.sleep(WATCHED)
    took = spent(before, cpu_seconds(stand.pids))
    return {f"idle_{role}_percent": 100 * seconds / WATCHED for role, seconds in took.items()}


def _grown(before: Figures, after: Figures, count: int) -> Figures:
    return {f"{place}_kib_each": (size - before[place]) / count for place, size in after.items()}


async def _kept_kib(stand: Stand) -> Figures:
    """What is kept: in the database of the arm, and in the files of Temporal and Restate."""
    return {
        "database": await _database_kib(stand),
        "server": _files_kib(stand, "temporal.db*", "restate/**/*"),
    }


def _files_kib(stand: Stand, *patterns: str) -> float:
    paths = [path for pattern in patterns for path in stand.folder.glob(pattern)]
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1024


async def _database_kib(stand: Stand) -> float:
    if stand.postgres_url is None:
        return _files_kib(stand, "cronny.db*")
    connection = await asyncpg.connect(stand.postgres_url)
    try:
        size = await connection.fetchval("select sum(pg_database_size(oid)) from pg_database")
    finally:
        await connection.close()
    return int(size) / 1024


async def _woken(stand: Stand, count: int, idle: float) -> float:
    """Milliseconds of the worker's processor time that an edit of a schedule that is not cached takes.

    What it takes for nothing, `idle` of a core, is not counted.
    """
    due = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2 * DAY))
    async with stand.api() as api:
        await ready(api)
        began, before = time.monotonic(), cpu_seconds(stand.pids)["worker"]

        async def one(number: int) -> None:
            body = {"action": "mark", "schedule": {"at": due}}
            accepted(await api.put(f"/v1/schedules/idle-{number}", json=body))

        await gathered(one, count)
        await asyncio.sleep(SETTLE / 2)
    took = cpu_seconds(stand.pids)["worker"] - before - idle * (time.monotonic() - began)
    return 1000 * took / count
