import json

from httpx import AsyncClient

from tests.api.server import Server
from tools.docs.generated import DOCS


async def test_the_schema_of_actions_needs_no_key(server: Server) -> None:
    answer = await server.client().get("/schemas/action.v1.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/schema+json")
    assert answer.json() == json.loads((DOCS / "schemas" / "action.v1.json").read_text())


async def test_editors_may_keep_the_schema_for_a_while(acme: AsyncClient) -> None:
    answer = await acme.get("/schemas/action.v1.json")
    assert answer.headers["cache-control"] == "public, max-age=3600"
