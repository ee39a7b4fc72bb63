"""Actions that are tested: everything happens but their side effects."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.tenant import TenantClient
from tests.servers import http
from tests.servers.http import Server

ORDERS = """\
version: 1
name: orders
concurrency: {limit: 1}
inputs: {least: {type: integer, default: 1}}
stages:
  - {id: fetch, uses: http, with: {url: "URL/orders"}, output: "${{ output.body }}", retry: {max_attempts: 5}}
  - {id: sum, uses: code, with: {language: python, inputs: "${{ stages.fetch.output }}",
     source: "def main(inputs):\\n    return sum(inputs['totals'])"}}
  - {id: each, uses: http, foreach: "${{ stages.fetch.output.totals }}", with: {url: "URL/${{ item }}"}}
  - {id: alert, uses: http, with: {url: "URL/alert"}}
connectors:
  - {from: fetch, to: sum}
  - {from: sum, to: each, when: output >= inputs.least}
  - {from: fetch, to: alert, on: error}
outputs: {total: "${{ stages.sum.output }}"}
"""
FETCHED = {"fetch": {"output": {"status": 200, "body": {"totals": [1, 2]}}}}


@pytest.fixture
def shop() -> Iterator[Server]:
    """What must not be called."""
    with http.running(lambda request: http.json_reply({"totals": [5]})) as server:
        yield server


@pytest.fixture
def orders(tenant: TenantClient, shop: Server) -> str:
    """The text of the action, which is uploaded."""
    text = ORDERS.replace("URL", shop.url)
    tenant.put_action("orders", text)
    return text


def _test(tenant: TenantClient, **body: Any) -> dict[str, Any]:
    answer = tenant.http.post("/v1/actions/orders/test", json=body)
    answer.raise_for_status()
    return tenant.ended(answer.json()["id"])


def _states(trigger: dict[str, Any]) -> dict[str, str]:
    return {stage["id"]: stage["state"] for stage in trigger["stages"]}


def test_what_is_given_stands_in_for_side_effects(tenant: TenantClient, orders: str, shop: Server) -> None:
    ended = _test(tenant, given={**FETCHED, "each": {"items": ["a", "b"]}})
    assert (ended["state"], ended["outputs"], ended["test"]) == ("completed", {"total": 3}, True)
    outputs = {stage["id"]: stage["output"] for stage in ended["stages"]}
    assert (outputs["fetch"], outputs["each"]) == ({"totals": [1, 2]}, ["a", "b"])
    assert _states(ended)["alert"] == "skipped"
    assert shop.requests == []


def test_an_error_that_is_given_takes_its_way_without_a_second_attempt(
    tenant: TenantClient, orders: str, shop: Server
) -> None:
    given = {"fetch": {"error": {"code": "timeout"}}, "alert": {"output": None}}
    ended = _test(tenant, given=given)
    assert (ended["state"], _states(ended)["alert"]) == ("completed", "completed")
    assert shop.requests == []


def test_a_side_effect_for_which_nothing_is_given_does_not_happen(
    tenant: TenantClient, orders: str, shop: Server
) -> None:
    ended = _test(tenant, given={"alert": {"output": None}})
    fetch = next(stage for stage in ended["stages"] if stage["id"] == "fetch")
    assert (fetch["error"]["code"], _states(ended)["alert"]) == ("not_given", "completed")
    assert shop.requests == []


def test_what_another_trigger_recorded_stands_in_and_what_is_allowed_happens(
    tenant: TenantClient, orders: str, shop: Server
) -> None:
    real = tenant.run("orders")
    called = len(shop.requests)
    ended = _test(tenant, from_trigger=real["id"], allow=["each"])
    assert (ended["state"], ended["outputs"]) == ("completed", {"total": 5})
    assert [request.path for request in shop.requests[called:]] == ["/5"]


def test_a_stage_is_tested_alone(tenant: TenantClient, orders: str, shop: Server) -> None:
    ended = _test(tenant, only="sum", given=FETCHED)
    assert _states(ended) == {"fetch": "completed", "sum": "completed", "each": "skipped", "alert": "skipped"}
    alone = _test(tenant, only="fetch")
    assert (_states(alone)["fetch"], [request.path for request in shop.requests]) == (
        "completed",
        ["/orders"],
    )


def test_a_text_is_tested_before_it_is_uploaded(tenant: TenantClient, orders: str) -> None:
    changed = orders.replace("sum(inputs['totals'])", "max(inputs['totals'])")
    ended = _test(tenant, source=changed, given={**FETCHED, "each": {"output": None}})
    assert (ended["outputs"], ended["action"]) == ({"total": 2}, "orders")
    assert tenant.http.get("/v1/actions/orders").json()["version"] == 1
    assert [one["name"] for one in tenant.http.get("/v1/actions").json()["items"]] == ["orders"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"given": {"fetsh": {"output": 1}}}, "given.fetsh"),
        ({"given": {"fetch": {"output": 1, "error": {"code": "x"}}}}, "given.fetch"),
        ({"allow": ["fetsh"]}, "allow.0"),
        ({"only": "fetsh"}, "only"),
        ({"inputs": {"least": "many"}}, "inputs.least"),
        ({"source": "version: 1\nname: orders\n"}, "document"),
    ],
)
def test_a_test_that_cannot_be_is_refused_where_it_is_wrong(
    tenant: TenantClient, orders: str, body: dict[str, Any], where: str
) -> None:
    answer = tenant.http.post("/v1/actions/orders/test", json=body)
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["where"] == where


def test_a_trigger_of_somebody_else_gives_nothing(tenant: TenantClient, orders: str) -> None:
    answer = tenant.http.post("/v1/actions/orders/test", json={"from_trigger": "trg_of_somebody"})
    assert answer.status_code == 404
