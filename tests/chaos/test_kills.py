"""SIGKILL in the midst of many triggers, and a restart 5 seconds later."""

import signal
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.chaos.load import SECOND, Calls, Form, check, ended, upload, wait_until
from tests.e2e.installation import Installation

AWAY = 5 * SECOND
UNDER_WAY = timedelta(seconds=1)  # before the kill: a call that began so late may not have been recorded


@pytest.mark.parametrize(
    ("database", "victim"),
    [
        ("on_sqlite", "worker"),
        ("on_sqlite", "temporal"),
        pytest.param("on_sqlite", "api", marks=pytest.mark.long),
        pytest.param("on_postgres", "worker", marks=pytest.mark.long),
        pytest.param("on_postgres", "temporal", marks=pytest.mark.long),
        ("on_postgres", "postgres"),
        ("on_postgres", "api"),
    ],
)
def test_a_killed_process_loses_nothing(
    request: pytest.FixtureRequest, database: str, victim: str, calls: Calls, form: Form
) -> None:
    installation: Installation = request.getfixturevalue(database)
    tenant = installation.add_tenant(f"t-{uuid4().hex[:8]}")
    begin = upload(tenant, calls, form)
    wait_until(begin + form.span * SECOND / 4)
    killed = datetime.now(UTC)
    installation.stop(victim, signal.SIGKILL)
    wait_until(killed + AWAY)
    restarted = datetime.now(UTC)
    installation.restart(victim)
    installation.wait_ready()
    rows = ended(tenant, form.count, form.span + 60)
    check(rows, calls, form, restarted)
    # Only what the worker was doing when it died is done again, with the same key.
    again = [
        times for times in calls.repeated().values() if times[0] < killed - UNDER_WAY or times[0] > killed
    ]
    assert (again, victim == "worker" or calls.repeated() == {}) == ([], True)
