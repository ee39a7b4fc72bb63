"""Installations whose processes are killed; `CRONNY_TEST_CHAOS=long` is what `make test-chaos` runs."""

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.chaos.load import LONG, SHORT, Calls, Form, receiving
from tests.e2e.installation import Installation, running, running_on_own_postgres
from tests.e2e.tenant import TenantClient


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(os.path.dirname(__file__)):
            item.add_marker(pytest.mark.chaos)


@pytest.fixture(scope="session")
def form() -> Form:
    return LONG if os.environ.get("CRONNY_TEST_CHAOS") == "long" else SHORT


@pytest.fixture(scope="session")
def on_sqlite() -> Iterator[Installation]:
    with running() as found:
        yield found


@pytest.fixture(scope="session")
def on_postgres() -> Iterator[Installation]:
    with running_on_own_postgres() as found:
        yield found


@pytest.fixture(params=["on_sqlite", "on_postgres"])
def installation(request: pytest.FixtureRequest) -> Installation:
    """An installation whose processes a test may kill, and starts again."""
    found: Installation = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def tenant(installation: Installation) -> TenantClient:
    """A new tenant."""
    return installation.add_tenant(f"t-{uuid4().hex[:8]}")


@pytest.fixture
def calls() -> Iterator[Calls]:
    with receiving() as found:
        yield found
