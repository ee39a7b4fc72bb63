"""Installations whose processes are killed; `CRONNY_TEST_CHAOS=long` is what `make test-chaos` runs."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.load import LONG, SHORT, Calls, Form, receiving
from tests.e2e.installation import Installation, running, running_on_own_postgres

HERE = Path(__file__).parent

IS_LONG = os.environ.get("CRONNY_TEST_CHAOS") == "long"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is here, and leave what takes long to the long form."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.chaos)
    if not IS_LONG:
        items[:] = [item for item in items if item.get_closest_marker("long") is None]


@pytest.fixture(scope="session")
def form() -> Form:
    return LONG if IS_LONG else SHORT


@pytest.fixture(scope="session")
def on_sqlite() -> Iterator[Installation]:
    with running() as found:
        yield found


@pytest.fixture(scope="session")
def on_postgres() -> Iterator[Installation]:
    with running_on_own_postgres() as found:
        yield found


@pytest.fixture
def calls() -> Iterator[Calls]:
    with receiving() as found:
        yield found
