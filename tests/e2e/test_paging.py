"""An incident that is opened by the failures of an action and resolved by its next success."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.tenant import TenantClient
from tests.servers import http, pagerduty
from tests.servers.http import Reply, Server, json_reply
from tests.servers.pagerduty import Pagerduty

EXAMPLE = Path(__file__).parents[2] / "examples" / "watch_orders_api.yaml"
ONE_STAGE = """\
version: 1
name: watch_orders_api
stages:
  - id: fetch
    uses: http
    with: {url: https://api.example.com/orders, expect_status: 2xx}
  - id: tell
    uses: pagerduty
    connection: oncall
    with:
      event: "${{ stages.fetch.status == 'completed' ? 'resolve' : 'trigger' }}"
      summary: The orders API is not well
connectors:
  - {from: fetch, to: tell, on: always}
"""


@pytest.fixture
def api() -> Iterator[Server]:
    with http.running() as server:
        yield server


@pytest.fixture
def oncall(tenant: TenantClient) -> Iterator[Pagerduty]:
    with pagerduty.running() as service:
        tenant.put_connection("oncall", "pagerduty", routing_key=service.routing_key, base_url=service.url)
        yield service


@pytest.mark.parametrize("text", [EXAMPLE.read_text(), ONE_STAGE], ids=["two stages", "one stage"])
def test_failures_are_one_incident_that_the_next_success_resolves(
    tenant: TenantClient, api: Server, oncall: Pagerduty, text: str
) -> None:
    quick = text.replace("delay: 2s", "delay: 10ms").replace("schedule: every 5 minutes\n", "")
    tenant.put_action("watch_orders_api", quick.replace("https://api.example.com", api.url))
    for reply in (json_reply([]), Reply(503), Reply(503), json_reply([]), json_reply([])):
        api.answer("/orders", reply)
        assert tenant.run("watch_orders_api")["state"] == "completed"
    (alert,) = oncall.alerts
    assert [event["event_action"] for event in alert.events] == ["trigger", "trigger", "resolve"]
    assert alert.key == f"cronny/{tenant.slug}/watch_orders_api"
