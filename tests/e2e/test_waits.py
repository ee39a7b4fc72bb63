"""Stages that wait, on a running installation: for people, for calls, for other actions."""

import asyncio
import signal
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cronny.settings import Settings
from cronny.temporal.connection import connect
from tests.e2e.installation import Installation, running
from tests.e2e.tenant import TenantClient, stage, until
from tests.e2e.test_secrecy import contents, histories
from tests.servers import http
from tests.servers.http import Server, json_reply

RELEASE = """\
version: 1
name: release
stages:
  - id: ask
    uses: approval
    timeout: 1h
    with: {message: "Release <it>?", approvers: [ada, test], remind_after: 500ms}
  - {id: tell, uses: http, with: {method: POST, url: "URL/tell", json: {links: "${{ input.links }}"}}}
  - {id: nag, uses: http, with: {method: POST, url: "URL/nag", json: {id: "${{ input.id }}"}}}
  - {id: go, uses: set, with: {values: {by: "${{ stages.ask.output.by }}"}}}
  - {id: undo, uses: set, with: {values: {why: "${{ input.why }}"}}}
connectors:
  - {from: ask, to: tell, on: waiting, map: {links: "${{ output.links.ada }}"}}
  - {from: ask, to: nag, on: reminder, map: {id: "${{ output.id }}"}}
  - {from: ask, to: go}
  - from: ask
    to: undo
    on: error
    when: error.code == "approval.rejected"
    map: {why: "${{ error.message }}"}
outputs: {go: "${{ stages.go.output }}"}
"""
CALLBACK = """\
version: 1
name: callback
stages:
  - {id: call, uses: wait, with: {webhook: true}}
  - {id: tell, uses: http, with: {method: POST, url: "URL/url", json: {url: "${{ input.url }}"}}}
connectors: [{from: call, to: tell, on: waiting, map: {url: "${{ output.url }}"}}]
outputs: {got: "${{ stages.call.output.color }}"}
"""
INNER = """\
version: 1
name: inner
inputs: {n: {type: integer, required: true}}
stages: [{id: a, uses: set, with: {values: {n: "${{ inputs.n + 1 }}"}}}]
outputs: {n: "${{ stages.a.output.n }}"}
"""
CIRCLE = """\
version: 1
name: {name}
stages: [{{id: a, uses: action, with: {{action: "${{{{ {other} }}}}"}}}}]
"""
AGAIN = """\
version: 1
name: outer
stages: [{id: sub, uses: action, retry: {max_attempts: 2, delay: 100ms}, with: {action: inner}}]
"""
EACH = """\
version: 1
name: outer
stages:
  - {id: sub, uses: action, foreach: LIST, concurrency: 5, with: {action: inner, inputs: {n: "${{ item }}"}}}
outputs: {all: "${{ stages.sub.output }}"}
"""
ALONE = """\
version: 1
name: outer
stages: [{id: sub, uses: action, with: {action: inner, wait: false}}]
outputs: {sub: "${{ stages.sub.output }}"}
"""
SLOW = """\
version: 1
name: slow
stages:
  - {id: first, uses: set, with: {values: {}}}
  - {id: nap, uses: wait, with: {for: 500ms}}
  - {id: early, uses: wait, with: {until: "${{ trigger.due }}"}}
  - {id: ask, uses: approval, timeout: 500ms, with: {message: go?, on_timeout: approve}}
  - {id: call, uses: wait, timeout: 500ms, with: {webhook: true}}
on_error:
  - {id: handler, uses: wait, with: {for: 200ms}}
"""
ASK = "version: 1\nname: ask\nstages: [{id: a, uses: approval, with: {message: go?}}]\n"
OUTER = """\
version: 1
name: outer
stages: [{id: sub, uses: action, with: {action: inner, inputs: {n: 41}}}]
outputs: {answer: "${{ stages.sub.output.n }}"}
"""


@pytest.fixture
def outside() -> Iterator[Server]:
    """A server that notes what it is told."""
    with http.running(lambda _: json_reply({})) as server:
        yield server


@pytest.fixture
def own() -> Iterator[Installation]:
    """An installation whose processes the test may kill."""
    with running() as found:
        yield found


def told(server: Server) -> Any:
    """What it was told first."""
    return server.requests[0].json()


def approval(tenant: TenantClient, trigger: str) -> dict[str, Any]:
    """The approval that a trigger waits for."""

    def look() -> list[dict[str, Any]]:
        items = tenant.http.get("/v1/approvals").json()["items"]
        return [one for one in items if one["trigger"] == trigger]

    return until(look, bool)[0]


def test_a_trigger_goes_on_when_somebody_approves(tenant: TenantClient, outside: Server) -> None:
    tenant.put_action("release", RELEASE.replace("URL", outside.url))
    trigger = tenant.start("release")["id"]
    asked = approval(tenant, trigger)
    answer = tenant.http.post(f"/v1/approvals/{asked['id']}/approve", json={"note": "fine"})
    ended = tenant.ended(trigger)
    assert (answer.status_code, ended["state"], ended["outputs"]) == (
        200,
        "completed",
        {"go": {"by": "test"}},
    )
    assert stage(ended, "undo")["state"] == "skipped"


def test_a_rejection_is_an_error_that_connectors_handle(tenant: TenantClient, outside: Server) -> None:
    tenant.put_action("release", RELEASE.replace("URL", outside.url))
    trigger = tenant.start("release")["id"]
    tenant.http.post(f"/v1/approvals/{approval(tenant, trigger)['id']}/reject", json={"note": "not today"})
    ended = tenant.ended(trigger)
    assert stage(ended, "ask")["error"]["code"] == "approval.rejected"
    assert (ended["state"], stage(ended, "undo")["output"]) == (
        "completed",
        {"why": "rejected by test: not today"},
    )


def test_a_link_asks_first_and_decides_once(tenant: TenantClient, outside: Server) -> None:
    tenant.put_action("release", RELEASE.replace("URL", outside.url))
    trigger = tenant.start("release")["id"]
    outside.wait_for(lambda: len(outside.requests) >= 1)
    links = told(outside)["links"]
    page = httpx.get(links["approve"])
    assert (page.status_code, "Release &lt;it&gt;?" in page.text) == (200, True)
    assert approval(tenant, trigger)["decisions"] == []
    answers = [
        httpx.post(links[name], data={"note": "so be it"}) for name in ("approve", "reject", "approve")
    ]
    ended = tenant.ended(trigger)
    assert ([one.status_code for one in answers], ended["outputs"]) == (
        [200, 409, 409],
        {"go": {"by": "ada"}},
    )
    assert ended["state"] == "completed"


def test_a_reminder_is_another_stage(tenant: TenantClient, outside: Server) -> None:
    tenant.put_action("release", RELEASE.replace("URL", outside.url))
    trigger = tenant.start("release")["id"]
    asked = approval(tenant, trigger)
    outside.wait_for(lambda: any(one.path == "/nag" for one in outside.requests))
    assert outside.requests[-1].json() == {"id": asked["id"]}


def test_a_call_of_its_url_ends_a_wait_and_leaves_no_trace(
    installation: Installation, tenant: TenantClient, outside: Server
) -> None:
    tenant.put_action("callback", CALLBACK.replace("URL", outside.url))
    trigger = tenant.start("callback")["id"]
    outside.wait_for(lambda: len(outside.requests) == 1)
    url = told(outside)["url"]
    answers = [httpx.post(url, json={"color": "blue"}).status_code for _ in range(2)]
    ended = tenant.ended(trigger)
    assert (answers, ended["outputs"]) == ([202, 409], {"got": "blue"})
    token = url.rpartition("/")[2].encode()
    kept = [contents(installation), asyncio.run(histories(installation, tenant.slug)), repr(ended).encode()]
    kept += [installation.log(module).encode() for module in ("api", "worker")]
    assert [token in place for place in kept] == [False] * 5
    assert b"blue" not in kept[1]


def test_an_action_gives_its_outputs_to_the_one_that_asked(tenant: TenantClient) -> None:
    tenant.put_action("inner", INNER)
    tenant.put_action("outer", OUTER)
    ended = tenant.run("outer")
    (child,) = [one for one in tenant.triggers() if one["parent"] == ended["id"]]
    assert (ended["state"], ended["outputs"]) == ("completed", {"answer": 42})
    assert (child["action"], child["state"], child["action_version"]) == ("inner", "completed", 1)


def test_an_action_that_failed_is_triggered_again(tenant: TenantClient, outside: Server) -> None:
    outside.answer("/inner", http.Reply(500), json_reply({}))
    call = f"{{id: a, uses: http, with: {{url: '{outside.url}/inner', expect_status: 2xx}}}}"
    tenant.put_action("inner", f"version: 1\nname: inner\nstages: [{call}]\n")
    tenant.put_action("outer", AGAIN)
    ended = tenant.run("outer")
    states = sorted(one["state"] for one in tenant.triggers() if one["parent"])
    assert (ended["state"], stage(ended, "sub")["attempt"], states) == (
        "completed",
        2,
        ["completed", "failed"],
    )


@pytest.mark.parametrize("count", [3, 25])
def test_an_action_is_triggered_for_each_item(tenant: TenantClient, count: int) -> None:
    tenant.put_action("inner", INNER)
    tenant.put_action("outer", EACH.replace("LIST", str(list(range(count)))))
    ended = tenant.run("outer")
    assert (ended["state"], ended["outputs"]) == ("completed", {"all": [{"n": n + 1} for n in range(count)]})


def test_an_action_that_is_not_waited_for_goes_on_alone(tenant: TenantClient) -> None:
    tenant.put_action("inner", "version: 1\nname: inner\nstages: [{id: a, uses: wait, with: {for: 1h}}]\n")
    tenant.put_action("outer", ALONE)
    ended = tenant.run("outer")
    assert ended["state"] == "completed"
    assert tenant.trigger(ended["outputs"]["sub"]["trigger"])["state"] in ("scheduled", "executing")


def test_time_passes_in_the_middle_and_behind_a_failure(tenant: TenantClient) -> None:
    tenant.put_action("slow", SLOW)
    ended = tenant.run("slow")
    found = {one["id"]: (one["state"], (one["error"] or {}).get("code")) for one in ended["stages"]}
    assert ended["state"] == "failed"
    assert found == {
        "first": ("completed", None),
        "nap": ("completed", None),
        "early": ("completed", None),
        "ask": ("completed", None),
        "call": ("failed", "timeout"),
        "handler": ("completed", None),
    }


def test_actions_in_a_circle_end_by_their_depth(tenant: TenantClient) -> None:
    inner = (
        "version: 1\nname: ping\nstages: [{id: a, uses: action, with: {action: \"${{ 'po' + 'ng' }}\"}}]\n"
    )
    tenant.put_action("ping", inner)
    tenant.put_action("pong", inner.replace("name: ping", "name: pong").replace("'po' + 'ng'", "'pi' + 'ng'"))
    ended = tenant.run("ping")
    assert (ended["state"], ended["error"]["code"], len(tenant.triggers())) == ("failed", "action.failed", 11)


def test_a_cancelled_trigger_cancels_what_it_waits_for(
    installation: Installation, tenant: TenantClient
) -> None:
    tenant.put_action("inner", "version: 1\nname: inner\nstages: [{id: a, uses: wait, with: {for: 1h}}]\n")
    tenant.put_action("outer", OUTER.replace("inputs: {n: 41}", "inputs: {}"))
    trigger = tenant.start("outer")
    both = until(lambda: tenant.triggers(state="executing"), lambda rows: len(rows) == 2)
    asyncio.run(cancel(installation, trigger["workflow_id"]))
    ended = [tenant.ended(one["id"])["state"] for one in both]
    assert ended == ["cancelled", "cancelled"]


def test_what_is_decided_while_temporal_is_away_is_delivered_later(own: Installation) -> None:
    tenant = own.add_tenant("outage")
    tenant.put_action(
        "ask", "version: 1\nname: ask\nstages: [{id: a, uses: approval, with: {message: go?}}]\n"
    )
    trigger = tenant.start("ask")["id"]
    asked = approval(tenant, trigger)
    own.stop("worker", signal.SIGKILL)
    own.stop("temporal", signal.SIGKILL)
    answer = tenant.http.post(f"/v1/approvals/{asked['id']}/approve")
    own.restart("temporal")
    own.restart("worker")
    ended = tenant.ended(trigger)
    assert (answer.status_code, ended["state"]) == (200, "completed")
    events = tenant.http.get("/v1/events", params={"trigger": trigger}).json()["items"]
    assert [one["kind"] for one in events] == ["approval_given", "approval_requested", "trigger_requested"]


async def cancel(installation: Installation, workflow: str) -> None:
    client = await connect(Settings(temporal_address=installation.temporal.address))
    await client.get_workflow_handle(workflow).cancel()
