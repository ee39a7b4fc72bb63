import asyncio
from pathlib import Path

import pytest

from cronny.temporal.binary import obtain, user_cache
from cronny.temporal.devserver import DevServer
from tests.servers import temporal as temporal_server
from tests.servers.ports import free_port
from tests.workflows.plans import give, in_an_hour, make_fire, make_foreach, make_plan
from tests.workflows.stand import Stand, make_stand, names_of, wait_for

ITEMS = 40
LONG = "limit.historyCount.suggestContinueAsNew=20"  # events; Temporal's own value is 4096


class ImpatientServer(DevServer):
    """Calls a history long that is short elsewhere."""

    @property
    def command(self) -> list[str]:
        return [*super().command, "--dynamic-config-value", LONG]


@pytest.fixture
def impatient(tmp_path: Path) -> ImpatientServer:
    binary = obtain(user_cache(), print)
    return ImpatientServer(binary, tmp_path / "temporal.db", free_port(), free_port())


def test_a_schedule_whose_history_is_long_continues_as_new_early(impatient: ImpatientServer) -> None:
    with temporal_server.serving(impatient):
        names = asyncio.run(_first_run(impatient.address))
    assert names[-1] == "WORKFLOW_EXECUTION_CONTINUED_AS_NEW"
    assert names.count("TIMER_STARTED") == 1


async def _first_run(address: str) -> list[str]:
    stand: Stand = await make_stand(address)
    fires = [make_fire(stand.tenant, number) for number in range(8)]
    stand.ports.allocations = [give(*fires, wake=in_an_hour()), give()]
    async with stand.serving():
        handle = await stand.start_schedule()
        first = stand.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        await wait_for(first, "CHILD_WORKFLOW_EXECUTION_COMPLETED", len(fires))
        await first.signal("changed")
        await handle.result()
        return await names_of(first)


def test_items_whose_history_is_long_continue_as_new_early(impatient: ImpatientServer) -> None:
    with temporal_server.serving(impatient):
        log, last = asyncio.run(_items(impatient.address))
    assert sorted(log) == sorted(f"run a/{number}" for number in range(ITEMS))
    assert len(last) < 3 * ITEMS  # each leaves three events at least


async def _items(address: str) -> tuple[list[str], list[str]]:
    """The items that were executed, and the events of the last history."""
    stand: Stand = await make_stand(address)
    stand.ports.items["a"] = ITEMS
    async with stand.serving():
        handle = await stand.execute(make_plan("a", a=make_foreach(3)))
        last = await names_of(stand.client.get_workflow_handle(f"{handle.id}/a"))
    return [line for line in stand.ports.log if line.startswith("run a/")], last
