"""The graph language on running installations: items, branches, what follows, and what is taken back."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.tenant import TenantClient, stage, until
from tests.servers import http
from tests.servers.http import Reply, Server, json_reply

EXAMPLES = Path(__file__).parents[2] / "examples"
EACH = """\
version: 1
name: each
inputs: {orders: {type: array, default: []}}
stages:
  - id: notify
    uses: http
    foreach: ${{ inputs.orders }}
    item_as: order
    when: order.id != 7
    concurrency: 8
    on_item_error: MODE
    with: {method: POST, url: "URL/orders/${{ order.id }}", json: {at: "${{ index }}"}, expect_status: 2xx}
    retry: {max_attempts: 2, delay: 10ms}
    output: ${{ order.id * 10 + output.body.n }}
    undo: {uses: http, with: {method: DELETE, url: "URL/orders/${{ order.id }}/${{ output }}"}}
  - id: last
    uses: set
    with: {values: {count: "${{ size(stages.notify.output) }}"}}
outputs: {results: "${{ stages.notify.output }}", count: "${{ stages.last.output.count }}"}
"""
SAGA = """\
version: 1
name: saga
stages:
  - id: reserve
    uses: http
    with: {method: POST, url: "URL/reserve"}
    undo: {uses: http, with: {method: POST, url: "URL/release/${{ output.body.n }}"}}
  - id: charge
    uses: http
    with: {method: POST, url: "URL/charge"}
    undo:
      uses: http
      with: {method: POST, url: "URL/refund/${{ output.body.n }}", expect_status: 2xx}
      retry: {max_attempts: 2, delay: 10ms}
  - id: ship
    uses: http
    with: {method: POST, url: "URL/ship", expect_status: 2xx}
    retry: {max_attempts: 3, delay: 10ms}
  - id: note
    uses: http
    with: {method: POST, url: "URL/note", json: {attempt: "${{ input.attempt }}", why: "${{ input.why }}"}}
connectors:
  - {from: reserve, to: charge}
  - {from: charge, to: ship}
  - {from: ship, to: note, on: retry, map: {attempt: "${{ attempt }}", why: "${{ error.code }}"}}
on_error:
  - id: page
    uses: http
    with:
      method: POST
      url: URL/page
      json: {stage: "${{ error.stage }}", status: "${{ status }}", ship: "${{ stages.ship.status }}"}
on_success: [{id: boast, uses: http, with: {method: POST, url: "URL/boast"}}]
on_finish: [{id: clean, uses: http, with: {method: POST, url: "URL/clean", json: {end: "${{ status }}"}}}]
"""


@pytest.fixture
def called() -> Iterator[Server]:
    """A server that says yes, and notes what it is asked."""
    with http.running(lambda _: json_reply({"n": 1})) as server:
        yield server


def each(called: Server, mode: str = "fail") -> str:
    return EACH.replace("URL", called.url).replace("MODE", mode)


def paths(called: Server) -> list[str]:
    return [request.path for request in called.requests]


def bodies(called: Server, path: str) -> list[Any]:
    return [request.json() for request in called.requests if request.path == path]


@pytest.mark.parametrize("count", [5, 60])
def test_each_item_is_executed_once_and_its_result_has_its_place(
    tenant: TenantClient, called: Server, count: int
) -> None:
    tenant.put_action("each", each(called))
    ended = tenant.run("each", orders=[{"id": number} for number in range(count)])
    results = [None if number == 7 else number * 10 + 1 for number in range(count)]
    assert (ended["state"], ended["outputs"]) == ("completed", {"results": results, "count": count})
    keys = {request.path: request.headers["idempotency-key"] for request in called.requests}
    wanted = [number for number in range(count) if number != 7]
    assert keys == {f"/orders/{number}": f"{ended['id']}/notify/{number}" for number in wanted}
    counts = stage(ended, "notify")["items"]
    assert (counts["total"], counts["completed"], counts["skipped"]) == (
        count,
        len(wanted),
        count - len(wanted),
    )


def test_failed_items_are_tried_again_and_may_be_results_among_others(
    tenant: TenantClient, called: Server
) -> None:
    called.answer("/orders/1", Reply(503), json_reply({"n": 2}))
    called.answer("/orders/2", Reply(503))
    tenant.put_action("each", each(called, "continue"))
    ended = tenant.run("each", orders=[{"id": number} for number in range(4)])
    first, second, third, last = ended["outputs"]["results"]
    assert (ended["state"], first, second, last) == ("completed", 1, 12, 31)
    assert third["error"]["code"] == "http.status"
    page = tenant.items(ended["id"], "notify", state="failed")
    assert [(item["item"], item["attempt"], item["value"]) for item in page["items"]] == [(2, 2, {"id": 2})]


def test_a_failed_item_fails_its_stage(tenant: TenantClient, called: Server) -> None:
    called.answer("/orders/3", Reply(404))
    tenant.put_action("each", each(called))
    ended = tenant.run("each", orders=[{"id": number} for number in range(100)])
    assert (ended["state"], ended["error"]["stage"], ended["error"]["code"]) == (
        "failed",
        "notify",
        "http.status",
    )
    assert ended["error"]["message"].startswith("item 3: ")
    assert stage(ended, "notify")["items"]["waiting"] > 50
    done = [item["value"]["id"] for item in tenant.items(ended["id"], "notify", state="completed")["items"]]
    undone = [path for path in paths(called) if path.count("/") == 3]
    assert sorted(undone) == sorted(f"/orders/{number}/{number * 10 + 1}" for number in done)
    assert [stage(ended, name)["state"] for name in ("notify", "last")] == ["failed", "skipped"]


@pytest.mark.parametrize(
    ("orders", "message"),
    [
        ({"a": 1}, "foreach needs a list, and this is a mapping"),
        (10_001, "foreach has 10001 items, 10000 at most"),
    ],
)
def test_what_is_no_list_or_too_long_is_refused(
    tenant: TenantClient, called: Server, orders: Any, message: str
) -> None:
    text = each(called).replace("${{ inputs.orders }}", "${{ inputs.orders[0] }}")
    tenant.put_action("each", text)
    given = list(range(orders)) if isinstance(orders, int) else orders
    ended = tenant.run("each", orders=[given])
    assert (ended["state"], ended["error"]["code"]) == ("failed", "validation")
    assert ended["error"]["message"].startswith(message)


def test_the_items_are_paged_in_their_order(tenant: TenantClient, called: Server) -> None:
    tenant.put_action("each", each(called))
    ended = tenant.run("each", orders=[{"id": number} for number in range(5)])
    first = tenant.items(ended["id"], "notify", limit=3)
    rest = tenant.items(ended["id"], "notify", limit=3, cursor=first["next"])
    assert [item["output"] for item in first["items"] + rest["items"]] == [1, 11, 21, 31, 41]
    assert rest["next"] is None


def test_a_failure_is_undone_and_told(tenant: TenantClient, called: Server) -> None:
    called.answer("/ship", Reply(503))
    called.answer("/refund/1", Reply(503), json_reply({}))
    tenant.put_action("saga", SAGA.replace("URL", called.url))
    ended = tenant.run("saga")
    assert (ended["state"], ended["reason"], ended["error"]["stage"]) == ("failed", "stage_failed", "ship")
    undone = [path for path in paths(called) if path.startswith(("/re", "/page", "/clean", "/boast"))]
    assert undone == ["/reserve", "/refund/1", "/refund/1", "/release/1", "/page", "/clean"]
    assert bodies(called, "/page") == [{"stage": "ship", "status": "failed", "ship": "failed"}]
    assert bodies(called, "/clean") == [{"end": "failed"}]
    assert stage(ended, "charge.undo")["attempt"] == 2


def test_each_failed_attempt_has_its_branch(tenant: TenantClient, called: Server) -> None:
    called.answer("/ship", Reply(503), Reply(503), json_reply({"n": 3}))
    tenant.put_action("saga", SAGA.replace("URL", called.url))
    ended = tenant.run("saga")
    assert ended["state"] == "completed"
    notes = sorted(bodies(called, "/note"), key=lambda note: str(note["attempt"]))
    assert notes == [{"attempt": 1, "why": "http.status"}, {"attempt": 2, "why": "http.status"}]
    assert [one["attempt"] for one in stage(ended, "ship")["failed_attempts"]] == [1, 2]
    assert stage(ended, "note.ship.2")["state"] == "completed"
    assert [path for path in paths(called) if path in ("/page", "/boast", "/clean")] == ["/boast", "/clean"]


def test_what_cannot_be_undone_is_the_reason(tenant: TenantClient, called: Server) -> None:
    called.answer("/ship", Reply(404))
    called.answer("/refund/1", Reply(500))
    tenant.put_action("saga", SAGA.replace("URL", called.url))
    ended = tenant.run("saga")
    assert (ended["state"], ended["reason"]) == ("failed", "undo_failed")
    assert (ended["error"]["stage"], ended["error"]["not_undone"]) == ("ship", ["charge"])
    assert "/release/1" in paths(called)


def test_a_cancelled_trigger_is_undone_and_finished(tenant: TenantClient, called: Server) -> None:
    called.answer("/ship", Reply(is_silent=True))
    tenant.put_action("saga", SAGA.replace("URL", called.url))
    trigger = tenant.start("saga")
    called.wait_for(lambda: "/ship" in paths(called))
    assert tenant.cancel(trigger["id"], "enough")["state"] == "executing"
    ended = tenant.ended(trigger["id"])
    assert (ended["state"], ended["reason"]) == ("cancelled", "requested")
    assert paths(called)[-3:] == ["/refund/1", "/release/1", "/clean"]
    assert bodies(called, "/clean") == [{"end": "cancelled"}]
    assert stage(ended, "ship")["error"]["code"] == "cancelled"


@pytest.mark.parametrize("count", [5, 60])
def test_a_cancellation_ends_the_items_and_their_stage(
    tenant: TenantClient, called: Server, count: int
) -> None:
    for number in range(count):
        called.answer(f"/orders/{number}", Reply(is_silent=True))
    tenant.put_action("each", each(called))
    trigger = tenant.start("each", orders=[{"id": number} for number in range(count)])
    called.wait_for(lambda: len(called.requests) >= 4)
    tenant.cancel(trigger["id"])
    ended = tenant.ended(trigger["id"])
    notify = stage(ended, "notify")
    assert (ended["state"], notify["state"], notify["items"]["started"]) == ("cancelled", "failed", 0)
    assert notify["items"]["failed"] == len(called.requests)


def test_a_trigger_ended_by_force_is_settled_at_once(tenant: TenantClient, called: Server) -> None:
    called.answer("/ship", Reply(is_silent=True))
    tenant.put_action("saga", SAGA.replace("URL", called.url))
    trigger = tenant.start("saga")
    called.wait_for(lambda: "/ship" in paths(called))
    ended = tenant.cancel(trigger["id"], force=True)
    assert (ended["state"], ended["reason"]) == ("cancelled", "killed")
    called.wait_for(lambda: called.departures == 1, limit=30)
    assert "/clean" not in paths(called)
    assert tenant.cancel(trigger["id"], force=True)["reason"] == "killed"


def test_a_trigger_that_has_not_begun_never_will(tenant: TenantClient, called: Server) -> None:
    tenant.put_action("saga", SAGA.replace("URL", called.url))
    tenant.put_schedule("soon", action="saga", schedule="in 10 seconds")
    (row,) = until(lambda: tenant.triggers("soon"), bool)
    assert tenant.cancel(row["id"])["state"] == "cancelled"
    with pytest.raises(AssertionError, match="409"):
        tenant.cancel(row["id"])
    assert tenant.trigger(row["id"])["reason"] == "requested"


def example(name: str, called: Server) -> str:
    """An example whose API is ours, that does not wait long, and fires when it is asked to."""
    text = (EXAMPLES / f"{name}.yaml").read_text().replace("https://api.example.com", called.url)
    text = "\n".join(line for line in text.splitlines() if not line.startswith("schedule:"))
    return re.sub(r"(?<=delay: )\d+s", "50ms", text)


def test_a_trip_is_booked_wholly_or_not_at_all(tenant: TenantClient, called: Server) -> None:
    called.answer("/flights", json_reply({"id": 11}))
    called.answer("/hotels", json_reply({"id": 22}))
    called.answer("/cars", Reply(409))
    tenant.put_action("book_trip", example("book_trip", called))
    ended = tenant.run("book_trip", trip=7)
    assert (ended["state"], ended["error"]["stage"]) == ("failed", "car")
    assert paths(called)[-3:] == ["/hotels/22", "/flights/11", "/desk"]
    (desk,) = bodies(called, "/desk")
    assert (desk["trip"], desk["end"], desk["error"]["code"]) == (7, "failed", "http.status")


def test_customers_are_reminded_and_failures_counted(tenant: TenantClient, called: Server) -> None:
    customers: list[Any] = [{"id": number, "balance": number - 3} for number in range(5)]
    called.answer("/customers", json_reply({"customers": customers}))
    called.answer("/reminders", json_reply({}))
    tenant.put_connection("team_slack", "slack", token="xoxb-0", base_url=called.url)
    tenant.put_action("remind_customers", example("remind_customers", called))
    ended = tenant.run("remind_customers")
    assert (ended["state"], ended["outputs"]) == ("completed", {"reminded": 3, "failed": 0})
    reminders = sorted(body["owes"] for body in bodies(called, "/reminders"))
    assert (reminders, stage(ended, "tell")["state"]) == ([1, 2, 3], "skipped")
