from collections.abc import Iterator

import pytest

from tests.servers import http, slack
from tests.stages.databases import Database, of_mariadb, of_postgres


@pytest.fixture
def server() -> Iterator[http.Server]:
    with http.running() as server:
        yield server


@pytest.fixture
def workspace() -> Iterator[slack.Workspace]:
    with slack.running() as workspace:
        yield workspace


@pytest.fixture(params=["mysql", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """A database of each kind of SQL, with the empty table `orders`."""
    if request.param == "mysql":
        found = of_mariadb(request.getfixturevalue("mysql_server"))
    else:
        found = of_postgres(request.getfixturevalue("postgres_url"))
    create = "create table orders (id int primary key, total int)"
    found.execute("drop table if exists orders", create, "select 1")
    return found
