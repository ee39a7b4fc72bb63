"""What fails otherwise than by a kill: frozen, slow, asked to stop, or with its memory gone."""

import asyncio
import signal
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import psutil
import pytest

from cronny.child import signal_group
from tests.chaos.load import CALL, SECOND, SHORT, Calls, Form, check, ended, upload, wait_until
from tests.e2e.installation import Installation
from tests.e2e.tenant import TenantClient, until

STOP = 15  # seconds that docker-compose.yml gives a worker; the SDK tries for 10 to report what it held
TWO_STAGES = """\
version: 1
name: both
stages:
  - {{id: first, uses: http, with: {{method: POST, url: "{url}/first"}}}}
  - {{id: second, uses: http, with: {{method: POST, url: "{url}/slow"}}}}
"""
EXPRESSION = "version: 1\nname: sum\nstages: [{id: one, uses: set, with: {values: {two: '${{ 1 + 1 }}'}}}]\n"


@pytest.fixture
def lone(on_postgres: Installation) -> TenantClient:
    return on_postgres.add_tenant(f"t-{uuid4().hex[:8]}")


def due_in(seconds: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)


def put_herd(tenant: TenantClient, calls: Calls, due: datetime, count: int) -> None:
    """Triggers of one instant, all of which are held when this returns."""
    tenant.put_action("call", CALL.format(url=calls.url))
    for number in range(count):
        tenant.put_schedule(f"h{number}", action="call", schedule={"at": due.isoformat()})
    until(lambda: len(tenant.triggers(state="scheduled")), lambda found: found == count)


def test_of_two_workers_one_takes_over_from_the_other(
    on_postgres: Installation, lone: TenantClient, calls: Calls
) -> None:
    on_postgres.start("worker2")
    begin = upload(lone, calls, SHORT)
    wait_until(begin + SECOND)
    killed = datetime.now(UTC)
    on_postgres.stop("worker", signal.SIGKILL)
    rows = ended(lone, SHORT.count, 60)
    on_postgres.start("worker")
    on_postgres.stop("worker2")
    check(rows, calls, SHORT, killed)


@pytest.mark.parametrize(
    ("away", "span"),
    [
        (12, 16),  # longer than a heartbeat may stay away
        pytest.param(60, 75, marks=pytest.mark.long),
    ],
)
def test_an_outage_of_temporal_repeats_nothing(
    on_postgres: Installation, lone: TenantClient, calls: Calls, away: int, span: int
) -> None:
    load = Form(oneoff=span, frequent=4, span=span)
    begin = upload(lone, calls, load)
    wait_until(begin + SECOND)
    on_postgres.stop("temporal", signal.SIGKILL)
    wait_until(begin + (1 + away) * SECOND)
    restarted = datetime.now(UTC)
    on_postgres.start_temporal()
    check(ended(lone, load.count, 90), calls, load, restarted)
    assert calls.repeated() == {}


def test_a_worker_asked_to_stop_gives_its_holds_back(
    on_postgres: Installation, lone: TenantClient, calls: Calls
) -> None:
    due = due_in(9)
    put_herd(lone, calls, due, 20)
    wait_until(due - 3 * SECOND)  # they are held by then
    worker = on_postgres.running["worker"]
    on_postgres.stop("worker")
    on_postgres.start("worker")
    rows = ended(lone, 20, 30)
    assert worker.returncode == 0
    assert [row for row in rows if row["state"] != "completed" or row["lateness_ms"] > 5000] == []
    assert (calls.keys(), calls.repeated()) == ({f"{row['id']}/call" for row in rows}, {})


def test_a_worker_stops_although_temporal_is_away(
    on_postgres: Installation, lone: TenantClient, calls: Calls
) -> None:
    put_herd(lone, calls, due_in(6), 5)
    on_postgres.stop("temporal", signal.SIGKILL)
    began = time.monotonic()
    on_postgres.stop("worker")
    took = time.monotonic() - began
    on_postgres.start_temporal()
    on_postgres.start("worker")
    rows = ended(lone, 5, 40)
    assert ({row["state"] for row in rows}, calls.repeated(), took < STOP) == ({"completed"}, {}, True)


@pytest.mark.long  # the server gives it work until its polls have timed out
def test_a_worker_that_was_frozen_repeats_nothing(
    on_postgres: Installation, lone: TenantClient, calls: Calls
) -> None:
    calls.slow = 8.0
    lone.put_action("both", TWO_STAGES.format(url=calls.url))
    lone.put_schedule("once", action="both", schedule={"at": due_in(5).isoformat()})
    until(lambda: lone.triggers(state="scheduled"), bool)
    frozen = on_postgres.running["worker"].pid
    wait_until(datetime.now(UTC) + 2 * SECOND)  # the stage is held by then
    signal_group(frozen, signal.SIGSTOP)
    on_postgres.start("worker2")
    until(calls.keys, lambda keys: any(key.endswith("/second") for key in keys))
    signal_group(frozen, signal.SIGCONT)
    (row,) = ended(lone, 1, 60)
    on_postgres.stop("worker2")
    assert (row["state"], calls.repeated()) == ("completed", {})


def test_a_database_that_stalls_delays_and_loses_nothing(
    on_postgres: Installation, lone: TenantClient, calls: Calls
) -> None:
    begin = upload(lone, calls, SHORT)
    wait_until(begin + SECOND)
    asyncio.run(stall(on_postgres, 6))
    check(ended(lone, SHORT.count, 60), calls, SHORT, datetime.now(UTC))
    assert calls.repeated() == {}


async def stall(installation: Installation, seconds: float) -> None:
    """Let nobody read or write the ledger for so long."""
    assert installation.own_postgres is not None
    connection = await asyncpg.connect(installation.own_postgres.url)
    async with connection.transaction():
        await connection.execute("lock table trigger in access exclusive mode")
        await asyncio.sleep(seconds)
    await connection.close()


def test_an_evaluator_that_was_killed_is_started_again(on_postgres: Installation, lone: TenantClient) -> None:
    lone.put_action("sum", EXPRESSION)
    assert lone.run("sum")["state"] == "completed"
    for child in psutil.Process(on_postgres.running["worker"].pid).children():
        child.kill()
    assert lone.run("sum")["state"] == "completed"


def test_a_temporal_that_has_forgotten_everything_is_filled_again(
    on_postgres: Installation, lone: TenantClient, calls: Calls
) -> None:
    load = Form(oneoff=30, frequent=2, span=22)
    begin = upload(lone, calls, load)
    wait_until(begin + 2 * SECOND)
    on_postgres.stop("temporal", signal.SIGKILL)
    for file in on_postgres.folder.glob("temporal.db*"):
        file.unlink()
    on_postgres.start_temporal()
    rows = ended(lone, load.count, 90)
    lost = [row for row in rows if (row["state"], row["reason"]) == ("failed", "workflow_lost")]
    assert [row for row in rows if row["state"] != "completed" and row not in lost] == []
    assert len({(row["schedule"], row["due"]) for row in rows}) == len(rows) == load.count
    # What was held or executing went on without Temporal, which then knew nothing of it.
    assert max(datetime.fromisoformat(row["due"]) for row in lost) < begin + 20 * SECOND
    # One that was lost between its claim and its call is settled without having called.
    completed = {f"{row['id']}/call" for row in rows if row not in lost}
    assert completed - calls.keys() == calls.keys() - {f"{row['id']}/call" for row in rows} == set()
    assert calls.repeated() == {}
