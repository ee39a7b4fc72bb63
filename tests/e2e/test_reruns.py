"""Triggers that are executed again from where they failed."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.tenant import TenantClient
from tests.servers import http
from tests.servers.http import Reply, Request, Server

DIAMOND = """\
version: 1
name: diamond
inputs: {city: {type: string, default: Rome}}
stages:
  - {id: fetch, uses: http, with: {url: "URL/fetch"}, output: "${{ output.body }}"}
  - {id: left, uses: http, foreach: [1, 2], with: {url: "URL/left/${{ item }}"}, output: "${{ output.body }}"}
  - id: right
    uses: http
    with: {url: "URL/right/${{ stages.fetch.output.n }}", expect_status: 2xx}
    retry: false
  - {id: sum, uses: set, join: all, with: {values: {city: "${{ inputs.city }}",
     left: "${{ stages.left.output }}", due: "${{ string(trigger.due) }}"}}}
connectors:
  - {from: fetch, to: left}
  - {from: fetch, to: right}
  - {from: left, to: sum}
  - {from: right, to: sum}
outputs: {sum: "${{ stages.sum.output }}"}
on_finish:
  - {id: note, uses: http, with: {url: "URL/note"}}
"""
UNDOING = """\
version: 1
name: undoing
stages:
  - {id: book, uses: http, with: {url: "URL/book"}, undo: {uses: http, with: {url: "URL/free"}}}
  - {id: pay, uses: http, with: {url: "URL/right", expect_status: 2xx}, retry: false}
"""


class Shop:
    """Answers with a number that grows, and fails on the right until it is mended."""

    def __init__(self) -> None:
        self.is_broken = True
        self.count = 0

    def reply(self, request: Request) -> Reply:
        self.count += 1
        is_wrong = self.is_broken and request.path.startswith("/right")
        return http.json_reply({"n": self.count}, 500 if is_wrong else 200)


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def server(shop: Shop) -> Iterator[Server]:
    with http.running(shop.reply) as found:
        yield found


@pytest.fixture
def failed(tenant: TenantClient, server: Server) -> dict[str, Any]:
    """A trigger whose right side has failed."""
    tenant.put_action("diamond", DIAMOND.replace("URL", server.url))
    ended = tenant.run("diamond", city="Oslo")
    assert ended["state"] == "failed"
    return ended


def _rerun(tenant: TenantClient, trigger: dict[str, Any], *stages: str) -> dict[str, Any]:
    answer = tenant.http.post(f"/v1/triggers/{trigger['id']}/rerun", json={"from": list(stages)})
    answer.raise_for_status()
    return tenant.ended(answer.json()["id"])


def _paths(server: Server, since: int) -> list[str]:
    return [request.path for request in server.requests[since:]]


def _output(trigger: dict[str, Any], stage: str) -> Any:
    return next(one["output"] for one in trigger["stages"] if one["id"] == stage)


def test_what_went_well_is_taken_over_and_the_rest_executed(
    tenant: TenantClient, failed: dict[str, Any], shop: Shop, server: Server
) -> None:
    before, shop.is_broken = len(server.requests), False
    again = _rerun(tenant, failed)
    assert (again["state"], _paths(server, before)) == ("completed", ["/right/1", "/note"])
    found = again["outputs"]["sum"]
    assert (found["city"], found["left"]) == ("Oslo", _output(failed, "left"))
    taken = {stage["id"] for stage in again["stages"] if stage["taken_over"]}
    assert taken == {"fetch", "left"}


def test_it_has_the_due_and_the_version_of_the_one_that_it_repeats(
    tenant: TenantClient, failed: dict[str, Any], shop: Shop, server: Server
) -> None:
    shop.is_broken = False
    tenant.put_action("diamond", DIAMOND.replace("URL", server.url).replace("Rome", "Bonn"))
    again = _rerun(tenant, failed)
    assert (again["due"], again["action_version"]) == (failed["due"], failed["action_version"])
    assert again["planned"] > failed["finished"]
    assert again["rerun_of"] == failed["id"]
    assert tenant.trigger(failed["id"])["reruns"] == [again["id"]]


def test_its_calls_have_keys_of_their_own(
    tenant: TenantClient, failed: dict[str, Any], shop: Shop, server: Server
) -> None:
    shop.is_broken = False
    again = _rerun(tenant, failed)
    keys = [dict(one.headers)["idempotency-key"] for one in server.requests if "/right" in one.path]
    assert keys == [f"{failed['id']}/right", f"{again['id']}/right"]


def test_chosen_stages_and_what_follows_them_are_executed(
    tenant: TenantClient, failed: dict[str, Any], shop: Shop, server: Server
) -> None:
    shop.is_broken = False
    whole = _rerun(tenant, failed)
    before = len(server.requests)
    again = _rerun(tenant, whole, "left")
    assert sorted(_paths(server, before)) == ["/left/1", "/left/2", "/note"]
    assert (again["state"], again["rerun_of"]) == ("completed", whole["id"])


def test_a_rerun_that_fails_can_be_repeated(tenant: TenantClient, failed: dict[str, Any], shop: Shop) -> None:
    second = _rerun(tenant, failed)
    assert second["state"] == "failed"
    shop.is_broken = False
    assert _rerun(tenant, second)["state"] == "completed"


def test_where_nothing_failed_somebody_has_to_say_where_to_begin(
    tenant: TenantClient, failed: dict[str, Any], shop: Shop
) -> None:
    shop.is_broken = False
    whole = _rerun(tenant, failed)
    answer = tenant.http.post(f"/v1/triggers/{whole['id']}/rerun", json={})
    assert (answer.status_code, "no stage" in answer.json()["detail"]) == (409, True)


def test_stages_that_are_not_in_the_graph_are_refused(tenant: TenantClient, failed: dict[str, Any]) -> None:
    path = f"/v1/triggers/{failed['id']}/rerun"
    unknown = tenant.http.post(path, json={"from": ["rigth"]})
    assert (unknown.status_code, unknown.json()["problems"][0]["hint"]) == (422, "did you mean 'right'?")
    assert tenant.http.post(path, json={"from": ["note"]}).status_code == 422


def test_what_is_unknown_or_a_test_or_executes_cannot_be_repeated(
    tenant: TenantClient, failed: dict[str, Any]
) -> None:
    assert tenant.http.post("/v1/triggers/trg_0/rerun", json={}).status_code == 404
    test = tenant.http.post("/v1/actions/diamond/test", json={}).json()
    tenant.ended(test["id"])
    assert tenant.http.post(f"/v1/triggers/{test['id']}/rerun", json={}).status_code == 409
    stages = "[{id: w, uses: wait, with: {for: 1h}}]"
    tenant.put_action("waiting", f"version: 1\nname: waiting\nstages: {stages}\n")
    running = tenant.start("waiting")
    assert tenant.http.post(f"/v1/triggers/{running['id']}/rerun", json={}).status_code == 409
    tenant.cancel(running["id"])


def test_what_was_undone_is_done_again(tenant: TenantClient, server: Server, shop: Shop) -> None:
    tenant.put_action("undoing", UNDOING.replace("URL", server.url))
    failed = tenant.run("undoing")
    before, shop.is_broken = len(server.requests), False
    assert _rerun(tenant, failed)["state"] == "completed"
    assert _paths(server, before) == ["/book", "/right"]


EACH = """\
version: 1
name: each
stages:
  - {id: list, uses: http, with: {url: "URL/list"}, output: "${{ output.body }}"}
  - id: work
    uses: http
    foreach: "${{ [1, 2, 3, 4] }}"
    on_item_error: ON
    concurrency: 1
    with: {url: "URL/${{ item % 2 == 0 ? 'right' : 'left' }}/${{ item }}", expect_status: 2xx}
    retry: false
  - {id: fail, uses: fail, when: "size(stages.work.output.filter(x, has(x.error))) > 0", with: {message: no}}
"""


def _each(tenant: TenantClient, server: Server, on: str = "fail") -> dict[str, Any]:
    tenant.put_action("each", EACH.replace("URL", server.url).replace("ON", on))
    ended = tenant.run("each")
    assert ended["state"] == "failed"
    return ended


def test_a_failed_list_goes_on_with_what_had_not_completed(
    tenant: TenantClient, shop: Shop, server: Server
) -> None:
    failed = _each(tenant, server)
    assert tenant.items(failed["id"], "work", state="completed")["items"][0]["item"] == 0
    before, shop.is_broken = len(server.requests), False
    again = _rerun(tenant, failed)
    assert again["state"] == "completed"
    assert sorted(_paths(server, before)) == ["/left/3", "/right/2", "/right/4"]
    items = tenant.items(again["id"], "work")["items"]
    assert [(one["state"], one["value"]) for one in items] == [("completed", one) for one in (1, 2, 3, 4)]


def test_a_list_that_is_chosen_is_executed_as_a_whole(
    tenant: TenantClient, shop: Shop, server: Server
) -> None:
    failed = _each(tenant, server)
    before, shop.is_broken = len(server.requests), False
    _rerun(tenant, failed, "work")
    assert sorted(_paths(server, before)) == ["/left/1", "/left/3", "/right/2", "/right/4"]


def test_a_list_behind_what_is_repeated_is_executed_as_a_whole(
    tenant: TenantClient, shop: Shop, server: Server
) -> None:
    failed = _each(tenant, server)
    before, shop.is_broken = len(server.requests), False
    _rerun(tenant, failed, "list")
    assert sorted(_paths(server, before)) == ["/left/1", "/left/3", "/list", "/right/2", "/right/4"]
