"""Having a connection tested by a worker of its tenant."""

from datetime import timedelta

from temporalio.client import Client, WorkflowFailureError
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.exceptions import TimeoutError
from temporalio.service import RPCError

from cronny.errors import Unavailable
from cronny.names import check_workflow, tenant_queue
from cronny.temporal.schedules import PATIENCE, away
from workflows.checking import ConnectionCheck
from workflows.messages import CheckCall
from workflows.schedule import TENANT

LIMIT = timedelta(seconds=20)  # for all of it; a worker that is there begins within milliseconds


async def run_check(client: Client, call: CheckCall) -> None:
    """Return when the connection was tested; raises Unavailable when nobody could."""
    try:
        handle = await client.start_workflow(
            ConnectionCheck.run,
            call,
            id=check_workflow(call.tenant, call.connection),
            task_queue=tenant_queue(call.tenant),
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            execution_timeout=LIMIT,
            search_attributes=TypedSearchAttributes([SearchAttributePair(TENANT, call.tenant)]),
            static_summary=f"test of the connection {call.connection}",
            rpc_timeout=PATIENCE,
        )
        await handle.result()
    except WorkflowFailureError as error:
        if isinstance(error.cause, TimeoutError):
            raise Unavailable("no worker of the tenant has tested the connection in time") from error
        raise Unavailable("the worker could not test the connection; its log says why") from error
    except (RPCError, RuntimeError) as error:
        raise away(error) from error
