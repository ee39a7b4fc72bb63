"""Actions for tests of the language, and what the checker says about them."""

from activities.stages.catalogue import KINDS
from dsl.action import Action
from dsl.check import Checked, check_text

CONNECTIONS = {
    "orders_db": "postgres",
    "shop_db": "mysql",
    "team_slack": "slack",
    "api": "http",
    "oncall": "pagerduty",
    "cache": "redis",
    "reports": "s3",
}

ALERT = """\
version: 1
name: check_orders_api
schedule: every 1 hour 20 minutes
inputs:
  region: {type: string, enum: [eu, us], default: eu}
stages:
  - id: fetch
    uses: http
    with: {url: "https://api.example.com/${{ inputs.region }}/orders"}
    retry: {max_attempts: 3, delay: 2s}
  - id: alert
    uses: slack
    connection: team_slack
    with: {channel: "#ops", text: "Orders API said ${{ string(input.status) }}"}
connectors:
  - {from: fetch, to: alert, when: output.status != 200, map: {status: "${{ output.status }}"}}
  - {from: fetch, to: alert, on: error, map: {status: "${{ error.message }}"}}
"""
IMPORT = """\
version: 1
name: import_orders
schedule: {every: week, on: monday, at: "09:00", timezone: Europe/London}
stages:                      # no connectors: from top to bottom
  - id: fetch
    uses: http
    with: {url: https://api.example.com/orders, expect_status: 2xx}
  - id: insert
    uses: postgres
    connection: orders_db
    when: size(stages.fetch.output.body.orders) > 0
    with:
      sql: insert into orders (id, total) values ($1, $2) on conflict (id) do nothing
      rows: ${{ stages.fetch.output.body.orders.map(o, [o.id, o.total]) }}
outputs: {inserted: "${{ stages.insert.output.row_count }}"}
"""
SET = "{id: first, uses: set, with: {values: {a: 1}}}"


def checked(text: str | bytes) -> Checked:
    return check_text(text, KINDS, CONNECTIONS)


def complaints(text: str | bytes) -> list[str]:
    """The problems of a text as a user reads them."""
    return [problem.render("a.yaml") for problem in checked(text).problems]


def action_of(text: str) -> Action:
    found = checked(text)
    assert found.action is not None, complaints(text)
    return found.action


def with_stages(*stages: str, more: str = "") -> str:
    """An action whose stages begin in line 4, one a line, and columns from 5 on."""
    return "version: 1\nname: trial\nstages:\n" + "".join(f"  - {stage}\n" for stage in stages) + more


def with_head(*lines: str) -> str:
    """An action with one stage in line 3 and these lines from the fourth on."""
    return f"version: 1\nname: trial\nstages: [{SET}]\n" + "".join(f"{line}\n" for line in lines)
