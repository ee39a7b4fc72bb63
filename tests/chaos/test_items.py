"""SIGKILL in the midst of a list: every item is executed, and none that was recorded a second time."""

import signal
from collections import Counter
from uuid import uuid4

import pytest

from tests.e2e.installation import Installation
from tests.e2e.tenant import stage
from tests.servers import http
from tests.servers.http import Reply

COUNT, AT_ONCE = 120, 10
EACH = f"""\
version: 1
name: each
inputs: {{numbers: {{type: array, required: true}}}}
stages:
  - id: call
    uses: http
    foreach: ${{{{ inputs.numbers }}}}
    concurrency: {AT_ONCE}
    with: {{method: POST, url: "URL/${{{{ item }}}}"}}
    output: ${{{{ item }}}}
"""


@pytest.mark.parametrize("victim", ["worker", pytest.param("temporal", marks=pytest.mark.long)])
def test_a_killed_process_loses_no_item(on_sqlite: Installation, victim: str) -> None:
    tenant = on_sqlite.add_tenant(f"t-{uuid4().hex[:8]}")
    with http.running(lambda _: Reply(delay=0.05)) as server:
        tenant.put_action("each", EACH.replace("URL", server.url))
        trigger = tenant.start("each", numbers=list(range(COUNT)))
        server.wait_for(lambda: len(server.requests) > COUNT / 3, limit=60)
        on_sqlite.stop(victim, signal.SIGKILL)
        on_sqlite.restart(victim)
        ended = tenant.ended(trigger["id"])
        calls = Counter(request.headers["idempotency-key"] for request in server.requests)
    assert (ended["state"], stage(ended, "call")["output"]) == ("completed", list(range(COUNT)))
    assert calls.keys() == {f"{trigger['id']}/call/{number}" for number in range(COUNT)}
    # What was under way when the worker died is done again, with the same key.
    assert sum(calls.values()) - COUNT <= AT_ONCE
