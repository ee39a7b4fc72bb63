from collections.abc import Iterator
from typing import Any

import pytest
from httpx import AsyncClient

from tests.api.server import Server

Operation = tuple[str, str, dict[str, Any]]

BOTH_FORMS = frozenset({"application/json", "application/yaml"})


@pytest.fixture
async def operations(server: Server) -> list[Operation]:
    """Path, method and description of every endpoint."""
    schema = (await server.client().get("/openapi.json")).json()
    return [(path, method, one) for path, item in schema["paths"].items() for method, one in item.items()]


def references(value: Any) -> Iterator[str]:
    """Every `$ref` in a description."""
    if isinstance(value, dict):
        yield from [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        value = list(value.values())
    for one in value if isinstance(value, list) else []:
        yield from references(one)


def test_every_refusal_is_a_problem_document(operations: list[Operation]) -> None:
    types = {
        media_type
        for _, _, one in operations
        for status, response in one["responses"].items()
        if int(status) >= 400
        for media_type in response["content"]
    }
    assert types == {"application/problem+json"}


def test_every_endpoint_with_a_key_may_refuse_it(operations: list[Operation]) -> None:
    with_key = {path for path, _, one in operations if "security" in one}
    assert with_key == {path for path, _, one in operations if "401" in one["responses"]}


def test_every_endpoint_is_described(operations: list[Operation]) -> None:
    assert [path for path, _, one in operations if not one["description"]] == []


def test_every_body_is_described_for_both_forms(operations: list[Operation]) -> None:
    bodies = {
        (method, path): set(one["requestBody"]["content"])
        for path, method, one in operations
        if "requestBody" in one
    }
    assert bodies.pop(("put", "/v1/calendars/{name}")) == {*BOTH_FORMS, "text/calendar"}
    for path in ("/v1/hooks/{token}", "/v1/hooks/waits/{token}"):
        assert bodies.pop(("post", path)) == {"application/json", "application/x-www-form-urlencoded"}
    assert set(map(frozenset, bodies.values())) == {BOTH_FORMS}
    assert {path for method, path in bodies if method == "put"} == {
        "/v1/actions/{name}",
        "/v1/schedules/{name}",
        "/v1/connections/{name}",
        "/v1/vars/{name}",
        "/v1/secrets/{name}",
        "/v1/webhooks/{name}",
    }


async def test_every_reference_leads_somewhere(acme: AsyncClient) -> None:
    schema = (await acme.get("/openapi.json")).json()
    known = {f"#/components/schemas/{name}" for name in schema["components"]["schemas"]}
    assert set(references(schema)) <= known


async def test_the_pages_for_people_are_there(acme: AsyncClient) -> None:
    assert (await acme.get("/docs")).status_code == 200
