"""A worker whose clock is stepped: no fire twice, none lost, none before its due."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from tests.chaos.load import CALL, SECOND, Calls, ended, wait_until
from tests.chaos.shifted import CLOCK, set_clock
from tests.e2e.installation import Installation
from tests.e2e.tenant import TenantClient, until

HOUR = timedelta(hours=1)


@pytest.fixture
def tenant(on_sqlite: Installation, calls: Calls) -> TenantClient:
    tenant = on_sqlite.add_tenant(f"t-{uuid4().hex[:8]}")
    tenant.put_action("call", CALL.format(url=calls.url))
    return tenant


@pytest.fixture
def step(on_sqlite: Installation, tmp_path: Path) -> Iterator[Callable[[timedelta], None]]:
    """Steps the clock of the only worker."""
    path = tmp_path / "clock"
    set_clock(path, timedelta())
    on_sqlite.stop("worker")
    on_sqlite.start("tests.chaos.shifted", **{CLOCK: str(path)})
    yield lambda wrong: set_clock(path, wrong)
    on_sqlite.stop("tests.chaos.shifted")
    on_sqlite.start("worker")


def in_seconds(seconds: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)


def test_a_step_back_in_the_hold_starts_nothing_before_its_due(
    tenant: TenantClient, calls: Calls, step: Callable[[timedelta], None]
) -> None:
    due = in_seconds(6)
    tenant.put_schedule("held", action="call", schedule={"at": due.isoformat()})
    until(lambda: tenant.triggers(state="scheduled"), bool)
    wait_until(due - 2 * SECOND)
    step(-5 * SECOND)
    (row,) = ended(tenant, 1, 30)
    ((called,),) = calls.at.values()
    assert (row["state"], row["lateness_ms"] >= 0, called >= due + 5 * SECOND) == ("completed", True, True)


def test_a_step_forward_and_back_fires_each_due_once(
    tenant: TenantClient, calls: Calls, step: Callable[[timedelta], None]
) -> None:
    begin = in_seconds(3)
    rule = {"every": "5m", "start": begin.isoformat(), "end": (begin + HOUR).isoformat()}
    tenant.put_schedule("often", action="call", schedule=rule)
    ended(tenant, 1, 30)
    step(HOUR + 10 * SECOND)
    rows = ended(tenant, 13, 30)
    step(timedelta())
    tenant.put_schedule("after", action="call", schedule={"at": in_seconds(4).isoformat()})
    rows = ended(tenant, 14, 30)
    assert {row["state"] for row in rows} == {"completed"}
    assert len({row["due"] for row in rows}) == 14
    assert (calls.keys(), calls.repeated()) == ({f"{row['id']}/call" for row in rows}, {})
