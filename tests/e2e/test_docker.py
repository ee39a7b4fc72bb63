"""Containers of a whole installation: they outlive its worker, and not their trigger."""

import asyncio
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import pytest

from cronny.settings import Settings
from cronny.temporal.connection import connect
from tests.e2e.installation import Installation, running
from tests.e2e.tenant import TenantClient, stage, until
from tests.e2e.test_live import following
from tests.e2e.test_secrecy import contents
from tests.servers.docker import Engine

FOLLOWED = "the container is there already; following it"
CANARY = "canary-5d0c2f9e77"
# Says that it is up, waits to be told to go on, and tells every start of it apart.
WAITING = "echo up $TOKEN; while ! test -e /tmp/go; do sleep 0.05; done; cat /etc/hostname > $CRONNY_OUTPUT"
ACTION = """\
version: 1
name: wait
stages:
  - id: work
    uses: docker
    connection: box
    with:
      image: box:1
      command: [sh, -c, '{script}']
      secret_env: {{TOKEN: token}}
      secret_files: [token]
      output_file: true
outputs: {{said: "${{{{ stages.work.output.output }}}}"}}
"""


@pytest.fixture(scope="module")
def containing(docker_engine: Engine) -> Iterator[Installation]:
    """An installation whose worker has an Engine."""
    with running(with_worker=False) as installation:
        start_worker(installation, docker_engine)
        yield installation


@pytest.fixture
def tenant(containing: Installation, engine: Engine) -> TenantClient:
    tenant = containing.add_tenant(f"t-{uuid4().hex[:8]}")
    tenant.put_connection("box", "docker", secrets={"token": CANARY})
    tenant.put_action("wait", ACTION.format(script=WAITING))
    return tenant


def start_worker(installation: Installation, engine: Engine) -> None:
    installation.start("worker", CRONNY_DOCKER_HOST=engine.host, CRONNY_DOCKER_IMAGES="box")


def container(engine: Engine) -> str:
    """The id of the one container that runs a stage, once it runs."""
    found = until(
        lambda: [each for each in engine.running() if not each["Names"][0].endswith("-files")],
        lambda each: len(each) == 1,
    )
    return str(found[0]["Id"])


async def cancel(installation: Installation, slug: str) -> None:
    """Ask Temporal to cancel the tenant's one trigger."""
    client = await connect(Settings(temporal_address=installation.temporal.address))
    query = f"CronnyTenant = '{slug}' and ExecutionStatus = 'Running'"
    async for found in client.list_workflows(query):
        await client.get_workflow_handle(found.id).cancel()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_container_outlives_its_worker_and_is_followed_by_the_next(
    containing: Installation, tenant: TenantClient, engine: Engine, how: signal.Signals
) -> None:
    started = tenant.start("wait")
    first = container(engine)
    containing.stop("worker", how)
    engine.execute(first, "touch", "/tmp/go")
    start_worker(containing, engine)
    ended = tenant.ended(started["id"])
    assert (ended["state"], ended["outputs"]) == ("completed", {"said": first[:12]})
    until(engine.left, lambda names: names == [])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_next_worker_goes_on_with_the_live_log(
    containing: Installation, tenant: TenantClient, engine: Engine, how: signal.Signals
) -> None:
    trigger = tenant.start("wait")["id"]
    with following(tenant, trigger) as events:
        events.until_line("up ***")
        containing.stop("worker", how)
        start_worker(containing, engine)
        events.until_line(FOLLOWED)
        engine.execute(container(engine), "touch", "/tmp/go")
        assert [event["event"] for event in events] == ["state", "state", "end"]
    assert stage(tenant.trigger(trigger), "work")["log"] == f"up ***\n{FOLLOWED}"
    with closing(sqlite3.connect(containing.folder / "cronny.db")) as database:
        assert database.execute("select * from live_log where trigger_id = ?", (trigger,)).fetchall() == []


def test_a_cancelled_trigger_takes_its_container_with_it(
    containing: Installation, tenant: TenantClient, engine: Engine
) -> None:
    started = tenant.start("wait")
    container(engine)
    asyncio.run(cancel(containing, tenant.slug))
    assert tenant.ended(started["id"])["state"] == "cancelled"
    until(engine.left, lambda names: names == [])


def test_a_secret_of_a_container_leaves_no_trace(
    containing: Installation, tenant: TenantClient, engine: Engine
) -> None:
    tenant.put_action(
        "tell", ACTION.format(script="echo $TOKEN | tee $CRONNY_OUTPUT").replace("wait", "tell")
    )
    ended = tenant.run("tell")
    assert (stage(ended, "work")["log"], ended["outputs"]) == ("***", {"said": "***"})
    seen = [containing.log("worker").encode(), containing.log("api").encode(), contents(containing)]
    seen += [path.read_bytes() for path in containing.folder.glob("temporal.db*")]
    assert [place for place, found in enumerate(seen) if CANARY.encode() in found] == []
