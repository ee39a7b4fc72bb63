"""What a worker tells Prometheus."""

import socket
import subprocess

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.installation import Installation, running
from tests.e2e.tenant import until
from tests.servers.ports import free_port

NOTHING = "version: 1\nname: nothing\nstages: [{id: one, uses: set, with: {values: {}}}]\n"
EXPECTED = {
    ("cronny_lateness_seconds_count", ()): 1.0,
    ("cronny_claims_sum", ()): 1.0,
    ("cronny_triggers_total", (("state", "executing"),)): 1.0,
    ("cronny_triggers_total", (("state", "completed"),)): 1.0,
}


def samples(url: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(httpx.get(url).text)
    found = [sample for family in families for sample in family.samples]
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for one in found}


def test_a_worker_counts_what_it_does() -> None:
    port = free_port()
    with running(with_worker=False) as installation:
        installation.start("worker", CRONNY_METRICS_PORT=str(port))
        tenant = installation.add_tenant("counted")
        tenant.put_action("nothing", NOTHING)
        tenant.run("nothing")
        seen = until(
            lambda: samples(f"http://127.0.0.1:{port}/metrics"),
            lambda seen: ("cronny_watchdog_rounds_total", (("outcome", "done"),)) in seen,
        )
    assert EXPECTED.items() <= seen.items()


def test_a_port_that_is_taken_is_said(installation: Installation) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        worker: subprocess.Popen[str] = installation.start(
            "worker9", CRONNY_METRICS_PORT=str(taken.getsockname()[1])
        )
        assert worker.wait(30) == 1
    del installation.running["worker9"]
    assert "CRONNY_METRICS_PORT: cannot listen on 127.0.0.1:" in installation.log("worker9")
