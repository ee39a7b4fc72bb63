"""Outputs that are too large for the database, on their whole way."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from cronny.admit import Admission, admit
from cronny.clock import wall_clock
from cronny.store.limits import Limit
from tests.e2e.installation import Installation
from tests.e2e.tenant import TenantClient, stage
from tests.servers import http
from tests.servers.http import Reply, Request, Server

SIZE = 300_000
BULK = """\
version: 1
name: bulk
stages:
  - {id: fetch, uses: http, with: {url: "URL/big"}, output: "${{ output.body.text }}"}
  - {id: measure, uses: set, with: {values: {size: "${{ size(stages.fetch.output) }}"}}}
  - {id: send, uses: http, with: {url: "URL/send", method: POST, body: "${{ stages.fetch.output }}",
     expect_status: 2xx}, retry: false}
outputs: {text: "${{ stages.fetch.output }}", size: "${{ stages.measure.output.size }}"}
"""
EACH = """\
version: 1
name: each
stages:
  - {id: fetch, uses: http, foreach: [1, 2, 3], with: {url: "URL/big"}, output: "${{ output.body.text }}"}
  - {id: measure, uses: set, with: {values: {sizes: "${{ stages.fetch.output.map(x, size(x)) }}"}}}
outputs: {sizes: "${{ stages.measure.output.sizes }}"}
"""
PARENT = """\
version: 1
name: parent
stages:
  - {id: call, uses: action, with: {action: bulk}}
outputs: {size: "${{ size(stages.call.output.text) }}"}
"""


class Sender:
    """Sends a large text, and refuses what it is sent until it is mended."""

    def __init__(self) -> None:
        self.is_broken = False

    def reply(self, request: Request) -> Reply:
        if request.path == "/send":
            return http.json_reply({}, 500 if self.is_broken else 200)
        return http.json_reply({"text": "x" * SIZE})


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture
def server(sender: Sender) -> Iterator[Server]:
    with http.running(sender.reply) as found:
        yield found


@pytest.fixture
def bulk(tenant: TenantClient, server: Server) -> TenantClient:
    tenant.put_action("bulk", BULK.replace("URL", server.url))
    return tenant


def _download(tenant: TenantClient, url: str) -> Any:
    with tenant.http.stream("GET", url) as answer:
        content = b"".join(answer.iter_bytes())
    assert answer.status_code == 200, content
    assert answer.headers["content-length"] == str(len(content))
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    return json.loads(content)


def test_a_large_output_reaches_whoever_needs_it(bulk: TenantClient, server: Server) -> None:
    ended = bulk.run("bulk")
    assert (ended["state"], stage(ended, "measure")["output"]) == ("completed", {"size": SIZE})
    assert len(server.requests[-1].body) == SIZE


def test_it_is_shown_where_it_can_be_had(bulk: TenantClient) -> None:
    ended = bulk.run("bulk")
    fetched, sent = stage(ended, "fetch"), stage(ended, "send")
    assert (fetched["output"], sent["input"], ended["outputs"]) == (None, None, None)
    assert fetched["large"]["output"]["size"] == SIZE + 2
    assert _download(bulk, fetched["large"]["output"]["url"]) == "x" * SIZE
    assert _download(bulk, sent["large"]["input"]["url"])["body"] == "x" * SIZE
    assert _download(bulk, ended["large"]["outputs"]["url"]) == {"text": "x" * SIZE, "size": SIZE}


def test_what_is_small_can_be_had_in_the_same_way(bulk: TenantClient) -> None:
    ended = bulk.run("bulk")
    assert stage(ended, "measure")["large"] == {}
    place = f"/v1/triggers/{ended['id']}/stages/measure/values/output"
    assert _download(bulk, place) == {"size": SIZE}


def test_nobody_else_can_have_it(installation: Installation, bulk: TenantClient) -> None:
    ended = bulk.run("bulk")
    other = installation.add_tenant(f"{bulk.slug}-other")
    for url in (stage(ended, "fetch")["large"]["output"]["url"], ended["large"]["outputs"]["url"]):
        assert other.http.get(url).status_code == 404


def test_items_have_large_outputs_too(tenant: TenantClient, server: Server) -> None:
    tenant.put_action("each", EACH.replace("URL", server.url))
    ended = tenant.run("each")
    assert ended["outputs"] == {"sizes": [SIZE] * 3}
    item = tenant.items(ended["id"], "fetch")["items"][1]
    assert item["output"] is None
    assert _download(tenant, item["large"]["output"]["url"]) == "x" * SIZE


def test_an_action_gets_what_another_one_gave(bulk: TenantClient) -> None:
    bulk.put_action("parent", PARENT)
    assert bulk.run("parent")["outputs"] == {"size": SIZE}


def test_a_rerun_takes_it_over(bulk: TenantClient, sender: Sender, server: Server) -> None:
    sender.is_broken = True
    failed = bulk.run("bulk")
    sender.is_broken = False
    answer = bulk.http.post(f"/v1/triggers/{failed['id']}/rerun", json={})
    again = bulk.ended(answer.raise_for_status().json()["id"])
    assert again["state"] == "completed"
    assert stage(again, "fetch")["large"]["output"]["size"] == SIZE + 2
    assert _download(bulk, stage(again, "fetch")["large"]["output"]["url"]) == "x" * SIZE
    assert sum(request.path == "/big" for request in server.requests) == 1


def test_a_test_can_be_given_what_was_recorded(bulk: TenantClient) -> None:
    ended = bulk.run("bulk")
    answer = bulk.http.post("/v1/actions/bulk/test", json={"from_trigger": ended["id"]})
    tested = bulk.ended(answer.raise_for_status().json()["id"])
    assert stage(tested, "measure")["output"] == {"size": SIZE}


def test_a_sensitive_one_is_shown_to_nobody(tenant: TenantClient, server: Server) -> None:
    hidden = BULK.replace("{id: fetch,", "{id: fetch, sensitive: true,").replace("URL", server.url)
    tenant.put_action("bulk", hidden)
    ended = tenant.run("bulk")
    assert (stage(ended, "measure")["output"], stage(ended, "fetch")["large"]) == ({"size": SIZE}, {})
    answer = tenant.http.get(f"/v1/triggers/{ended['id']}/stages/fetch/values/output")
    assert (answer.status_code, "sensitive" in answer.json()["detail"]) == (403, True)


def test_a_tenant_beyond_its_limit_is_told(installation: Installation, bulk: TenantClient) -> None:
    bulk.run("bulk")
    used = next(one for one in bulk.http.get("/v1/limits").json()["items"] if one["name"] == "kept_bytes")
    assert used["used"] > 3 * SIZE
    _set_limit(installation, bulk, f"kept_bytes={used['used']}")
    failed = bulk.run("bulk")
    error = stage(failed, "fetch")["error"]
    assert (failed["state"], error["code"]) == ("failed", "too_large")
    assert "'kept_bytes'" in error["message"]


def test_an_output_beyond_its_limit_is_told(installation: Installation, bulk: TenantClient) -> None:
    _set_limit(installation, bulk, "output_bytes=100000")
    error = stage(bulk.run("bulk"), "fetch")["error"]
    assert error["code"] == "too_large"
    assert f"takes {SIZE + 2} bytes, and the tenant's limit 'output_bytes' is 100000" in error["message"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("stages/nobody/values/output", 404),
        ("stages/measure/values/log", 422),
        ("stages/measure/items/0/values/output", 404),
        ("stages/measure/items/x/values/output", 422),
        ("stages/UP/values/output", 404),
    ],
)
def test_what_is_not_there_is_refused(bulk: TenantClient, path: str, status: int) -> None:
    ended = bulk.run("bulk")
    assert bulk.http.get(f"/v1/triggers/{ended['id']}/{path}").status_code == status
    assert bulk.http.get("/v1/triggers/trg_nobody/outputs").status_code == 404


def _set_limit(installation: Installation, tenant: TenantClient, limit: str) -> None:
    name, _, most = limit.partition("=")
    wanted = Admission(tenant.slug, None, None, {Limit(name): int(most)})
    asyncio.run(admit(installation.settings.database_url, wanted, wall_clock()))


def test_what_has_failed_has_no_output(bulk: TenantClient, sender: Sender) -> None:
    sender.is_broken = True
    failed = bulk.run("bulk")
    for path in ("outputs", "stages/send/values/output"):
        answer = bulk.http.get(f"/v1/triggers/{failed['id']}/{path}")
        assert (answer.status_code, "is failed" in answer.json()["detail"]) == (404, True)
