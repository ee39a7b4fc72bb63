"""The activities that workflows call, by name and type; `activities` implements each of them once."""

from temporalio import activity

from dsl.plan import Plan
from workflows.messages import (
    AllocateCall,
    Allocation,
    CheckCall,
    Fire,
    Settled,
    Settlement,
    StageCall,
    StageResult,
)


@activity.defn
async def allocate(call: AllocateCall) -> Allocation:
    """Write the ledger rows of near-due fires; on the system queue, local."""
    raise NotImplementedError


@activity.defn
async def load_plan(fire: Fire) -> Plan:
    """Give the graph of the fire's action version; local."""
    raise NotImplementedError


@activity.defn
async def run_stage(call: StageCall) -> StageResult:
    """Execute a stage; roots first hold until the due and claim the trigger."""
    raise NotImplementedError


@activity.defn
async def run_pure_stage(call: StageCall) -> StageResult:
    """Execute a stage without side effects, or look after one that waits; local."""
    raise NotImplementedError


@activity.defn
async def abandon_stage(call: StageCall) -> StageResult:
    """Give up a stage that waits, and what it has started; local."""
    raise NotImplementedError


@activity.defn
async def skip_stage(call: StageCall) -> StageResult:
    """Record a stage as skipped and judge its outgoing connectors; local."""
    raise NotImplementedError


@activity.defn
async def close_items(call: StageCall) -> StageResult:
    """Gather what became of a stage's items, and judge its outgoing connectors; local."""
    raise NotImplementedError


@activity.defn
async def try_outputs(settlement: Settlement) -> bool:
    """Whether the outputs of a trigger can be made; if not, the ledger says why; local."""
    raise NotImplementedError


@activity.defn
async def finish(settlement: Settlement) -> Settled | None:
    """Settle the trigger in the ledger, and give who waits for that; local."""
    raise NotImplementedError


@activity.defn
async def check_connection(call: CheckCall) -> None:
    """Test a connection, and write down what came of it."""
    raise NotImplementedError
