from collections.abc import Iterator

import pytest

from tests.servers import http, slack


@pytest.fixture
def server() -> Iterator[http.Server]:
    with http.running() as server:
        yield server


@pytest.fixture
def workspace() -> Iterator[slack.Workspace]:
    with slack.running() as workspace:
        yield workspace
