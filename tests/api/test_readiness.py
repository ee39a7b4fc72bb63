from pathlib import Path

import pytest

from tests.api.server import Server, serving


async def test_a_ready_server_says_so(sqlite_url: str, temporal: str) -> None:
    async with serving(sqlite_url, temporal) as server:
        answer = await server.client().get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


async def test_readiness_tells_that_temporal_is_away(server: Server) -> None:
    answer = await server.client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["detail"] == "Temporal at 127.0.0.1:1 cannot be reached: connection refused"
    assert (await server.client().get("/healthz")).json() == {"status": "ok"}


@pytest.fixture(params=["no server", "no database", "no folder", "no tables"])
def lost_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that cannot be used."""
    match request.param:
        case "no server":
            return "postgresql+asyncpg://nobody@127.0.0.1:1/none"
        case "no database":
            server = str(request.getfixturevalue("postgres_url")).rpartition("/")[0]
            return f"{server}/no_such".replace("postgresql://", "postgresql+asyncpg://")
        case "no folder":
            return f"sqlite+aiosqlite:///{tmp_path}/none/cronny.db"
    return f"sqlite+aiosqlite:///{tmp_path}/cronny.db"


async def test_readiness_tells_that_the_database_is_no_use(lost_url: str) -> None:
    async with serving(lost_url) as server:
        answer = await server.client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("the database cannot be ")


async def test_a_request_without_a_database_is_told_to_come_again() -> None:
    async with serving("postgresql+asyncpg://nobody@127.0.0.1:1/none") as server:
        answer = await server.client("cny_x").get("/v1/actions")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["detail"] == "the database cannot be used at present"
