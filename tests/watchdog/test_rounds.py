import asyncio
from uuid import uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.operatorservice.v1 import RemoveSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client, WorkflowExecutionStatus

from cronny.errors import Unavailable
from cronny.names import SEARCH_SCHEDULE
from cronny.settings import Settings
from cronny.temporal.connection import connect
from cronny.watchdog import Watchdog
from tests.servers.ports import free_port
from tests.store.samples import MINUTE, NOW, SECOND
from tests.watchdog.kennel import LATER, Kennel


def rounds(kennel: Kennel, outcome: str) -> float:
    sample = kennel.metrics.registry.get_sample_value("cronny_watchdog_rounds_total", {"outcome": outcome})
    return sample or 0


async def new_namespace(address: str) -> Client:
    """A client of a namespace that knows no search attribute of ours."""
    name = f"n{uuid4().hex[:12]}"
    client = await connect(Settings(temporal_address=address, temporal_namespace=name))
    retention = Duration(seconds=86400 * 3)
    request = RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=retention)
    await client.workflow_service.register_namespace(request)
    return client


async def watch(kennel: Kennel, client: Client, name: str = "other") -> Watchdog:
    return Watchdog(kennel.database, client, lambda: kennel.now, name, kennel.metrics)


async def test_a_namespace_without_our_search_attributes_gets_them(kennel: Kennel, temporal: str) -> None:
    client = await new_namespace(temporal)
    watchdog = await watch(kennel, client)
    kennel.now = LATER
    async with asyncio.timeout(30):
        while await kennel.events() == []:  # the server takes a moment to know what was registered
            await watchdog.round()
    seen = await client.get_workflow_handle(kennel.schedule.id).describe()
    assert seen.status is WorkflowExecutionStatus.RUNNING


async def test_search_attributes_that_were_lost_meanwhile_come_back(kennel: Kennel, temporal: str) -> None:
    client = await new_namespace(temporal)
    watchdog = await watch(kennel, client)
    await watchdog.round()
    request = RemoveSearchAttributesRequest(namespace=client.namespace, search_attributes=[SEARCH_SCHEDULE])
    await client.operator_service.remove_search_attributes(request)
    kennel.now = LATER
    async with asyncio.timeout(30):
        while await kennel.events() == []:
            await watchdog.round()
    assert [kind for kind, _ in await kennel.events()] == ["schedule_woken"]


async def test_one_who_has_no_lease_leaves_everything_to_the_other(kennel: Kennel) -> None:
    await kennel.round(NOW)
    kennel.now = NOW + 10 * SECOND
    await (await watch(kennel, kennel.stand.client)).round()
    assert (rounds(kennel, "done"), rounds(kennel, "left"), await kennel.events()) == (1, 1, [])


async def test_without_temporal_nothing_is_noted_as_repaired(kennel: Kennel) -> None:
    away = await connect(Settings(temporal_address=f"127.0.0.1:{free_port()}"))
    kennel.now = LATER
    with pytest.raises(Unavailable):
        await (await watch(kennel, away)).round()
    assert (await kennel.events(), rounds(kennel, "done")) == ([], 0)


async def test_a_clock_that_was_set_back_ends_a_lease(kennel: Kennel) -> None:
    await kennel.round(LATER + 60 * MINUTE)
    kennel.now = LATER
    await (await watch(kennel, kennel.stand.client)).round()
    assert rounds(kennel, "done") == 2
