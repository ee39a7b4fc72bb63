"""What a tenant keeps, used by real workers."""

import signal
from collections.abc import Iterator

import pytest

from tests.e2e.installation import Installation
from tests.e2e.tenant import TenantClient, until
from tests.servers import http
from tests.servers.http import Server

CANARY = "canary-check-41d7"
USING = """\
version: 1
name: using
stages: [{id: say, uses: set, with: {values: {region: "${{ vars.REGION }}"}}, when: vars.REGION != 'none'}]
outputs: {region: "${{ stages.say.output.region }}"}
"""
PINNED = """\
version: 1
name: pinned
stages:
  - {id: before, uses: set, with: {values: {region: "${{ vars.REGION }}"}}}
  - {id: ask, uses: approval, with: {message: "go on in ${{ vars.REGION }}?"}}
  - {id: after, uses: set, with: {values: {region: "${{ vars.REGION }}"}}}
outputs:
  before: "${{ stages.before.output.region }}"
  after: "${{ stages.after.output.region }}"
  end: "${{ vars.REGION }}"
"""


@pytest.fixture
def telling() -> Iterator[Server]:
    """A server that refuses a token and repeats it."""
    with http.running(lambda request: http.json_reply(dict(request.headers), 401)) as server:
        yield server


def test_a_connection_is_tested_by_a_worker(tenant: TenantClient, telling: Server) -> None:
    tenant.put_connection("api", "http", base_url=telling.url, token=CANARY)
    answer = tenant.http.post("/v1/connections/api/test", timeout=30)
    found, shown = answer.json(), tenant.http.get("/v1/connections/api").json()
    assert (found["ok"], found["code"], found["message"]) == (
        False,
        "auth",
        "127.0.0.1 answered 401 to the credentials; "
        "check the credentials, and what they are allowed to do there",
    )
    assert shown["last_test"] == found
    tenant.put_connection("api", "http", base_url=telling.url)
    assert tenant.http.get("/v1/connections/api").json()["last_test"] is None


def test_variables_are_read_when_a_trigger_executes(tenant: TenantClient) -> None:
    tenant.http.put("/v1/vars/REGION", json={"value": "eu"}).raise_for_status()
    tenant.put_action("using", USING)
    first = tenant.run("using")
    tenant.http.put("/v1/vars/REGION", json={"value": "us"}).raise_for_status()
    assert (first["outputs"], tenant.run("using")["outputs"]) == ({"region": "eu"}, {"region": "us"})


def test_a_trigger_keeps_the_variables_of_its_start(tenant: TenantClient) -> None:
    tenant.http.put("/v1/vars/REGION", json={"value": "eu"}).raise_for_status()
    tenant.put_action("pinned", PINNED)
    trigger = tenant.start("pinned")["id"]
    asked = until(lambda: tenant.http.get("/v1/approvals").json()["items"], bool)
    tenant.http.delete("/v1/vars/REGION?force=true").raise_for_status()
    tenant.http.put("/v1/vars/REGION", json={"value": "us"}).raise_for_status()
    tenant.http.post(f"/v1/approvals/{asked[0]['id']}/approve", json={}).raise_for_status()
    ended = tenant.ended(trigger)
    assert ended["outputs"] == {"before": "eu", "after": "eu", "end": "eu"}


def test_a_variable_that_is_gone_fails_what_uses_it(tenant: TenantClient) -> None:
    tenant.http.put("/v1/vars/REGION", json={"value": "eu"}).raise_for_status()
    tenant.put_action("using", USING)
    tenant.http.delete("/v1/vars/REGION?force=true").raise_for_status()
    ended = tenant.run("using")
    assert (ended["state"], ended["error"]["code"], ended["error"]["message"]) == (
        "failed",
        "expression",
        "there is no variable 'REGION'",
    )


def test_a_test_that_no_worker_makes_says_so(lone_installation: Installation, telling: Server) -> None:
    tenant = lone_installation.add_tenant("lonely")
    tenant.put_connection("api", "http", base_url=telling.url)
    lone_installation.stop("worker", signal.SIGKILL)
    answer = tenant.http.post("/v1/connections/api/test", timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
