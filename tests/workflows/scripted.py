"""Implementations of the ports that follow a script and note what they were asked."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio import activity

from dsl.plan import Graph, Plan
from tests.workflows.plans import make_plan
from workflows.messages import (
    AllocateCall,
    Allocation,
    CheckCall,
    Execution,
    Fire,
    Settled,
    Settlement,
    StageCall,
    StageResult,
    StageStatus,
)

SOON = timedelta(milliseconds=10)  # the delay before another attempt
BEAT = 0.05  # seconds between heartbeats; with them comes the cancellation
HEARD = {"completed": {"success", "always"}, "failed": {"error", "always"}, "skipped": {"skipped", "always"}}


class Gate:
    """A place where a port waits until the test lets it go on; a deaf one hears of no cancellation."""

    def __init__(self, *, is_deaf: bool = False) -> None:
        self._is_deaf = is_deaf
        self.reached = asyncio.Event()
        self._open = asyncio.Event()

    def open(self) -> None:
        self._open.set()

    async def passed(self) -> None:
        self.reached.set()
        while not self._open.is_set():
            if not activity.info().is_local and not self._is_deaf:
                activity.heartbeat()
            await asyncio.wait({asyncio.ensure_future(self._open.wait())}, timeout=BEAT)


async def _nothing(_: AllocateCall) -> None:
    pass


@dataclass
class ScriptedPorts:
    """All ports; without a script each stage completes and each fitting connector fires."""

    plan: Plan = field(default_factory=lambda: make_plan("a"))
    poison: Exception | None = None  #: Why no plan can be loaded.
    outcomes: dict[str, StageStatus | Sequence[Exception]] = field(default_factory=dict)
    queued: dict[str, int] = field(default_factory=dict)  #: How often a stage is told to wait its turn.
    items: dict[str, int] = field(default_factory=dict)  #: How many a stage with `foreach` has.
    retries: dict[str, int] = field(default_factory=dict)  #: How many attempts fail before the one that ends.
    waiting: dict[str, list[StageResult]] = field(default_factory=dict)  #: What is said before the end.
    cancel: tuple[Execution, ...] = ()  #: What a queued trigger asks to end.
    has_outputs: bool = True  #: Whether they can be made, where they are asked for.
    settled: Settled | None = None
    dead: frozenset[int] = frozenset()  #: Connectors whose condition says no.
    allocations: list[Allocation | Exception] = field(default_factory=list)
    gates: dict[str, Gate] = field(default_factory=dict)
    on_allocate: Callable[[AllocateCall], Awaitable[None]] = _nothing
    log: list[str] = field(default_factory=list)
    priorities: list[tuple[int | None, str | None]] = field(default_factory=list)
    allocate_calls: list[AllocateCall] = field(default_factory=list)
    stage_calls: dict[str, StageCall] = field(default_factory=dict)
    settlements: list[Settlement] = field(default_factory=list)

    @activity.defn(name="allocate")
    async def allocate(self, call: AllocateCall) -> Allocation:
        self.allocate_calls.append(call)
        answer = self.allocations.pop(0) if len(self.allocations) > 1 else self.allocations[0]
        await self._gate("allocate")
        await self.on_allocate(call)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @activity.defn(name="load_plan")
    async def load_plan(self, fire: Fire) -> Plan:
        self.log.append("plan")
        if self.poison is not None:
            raise self.poison
        await self._gate("plan")
        return self.plan

    @activity.defn(name="run_stage")
    async def run_stage(self, call: StageCall) -> StageResult:
        return await self._end("run", call, "completed")

    @activity.defn(name="run_pure_stage")
    async def run_pure_stage(self, call: StageCall) -> StageResult:
        return await self._end("pure", call, "completed")

    @activity.defn(name="abandon_stage")
    async def abandon_stage(self, call: StageCall) -> StageResult:
        self.log.append(f"abandon {call.stage_id}")
        return StageResult(status="cancelled")

    @activity.defn(name="skip_stage")
    async def skip_stage(self, call: StageCall) -> StageResult:
        return await self._end("skip", call, "skipped")

    @activity.defn(name="check_connection")
    async def check_connection(self, call: CheckCall) -> None:
        self.log.append(f"check {call.connection}")

    @activity.defn(name="close_items")
    async def close_items(self, call: StageCall) -> StageResult:
        failed = any(name.startswith(f"{call.stage_id}/") for name in self.outcomes)
        return await self._end("close", call, "failed" if failed else "completed")

    @activity.defn(name="try_outputs")
    async def try_outputs(self, settlement: Settlement) -> bool:
        self.log.append("outputs")
        return self.has_outputs

    @activity.defn(name="finish")
    async def finish(self, settlement: Settlement) -> Settled | None:
        self.log.append(f"finish {settlement.status}")
        await self._gate("finish")
        self.settlements.append(settlement)
        return self.settled

    async def _end(self, port: str, call: StageCall, usual: StageStatus) -> StageResult:
        name = call.record_id if call.item is None else f"{call.record_id}/{call.item}"
        self.log.append(f"{port} {name}")
        if not activity.info().is_local:
            priority = activity.info().priority
            self.priorities.append((priority.priority_key, priority.fairness_key))
        self.stage_calls[name] = call
        try:
            await self._gate(name)
        except asyncio.CancelledError:
            self.log.append(f"cancelled {name}")
            raise
        if self.queued.get(call.stage_id):
            self.queued[call.stage_id] -= 1
            return StageResult(status="queued", cancel=self.cancel)
        if port == "run" and call.item is None and call.stage_id in self.items:
            return StageResult(status="opened", items=self.items[call.stage_id])
        if port == "run" and 0 < call.attempt <= self.retries.get(call.stage_id, 0):
            return StageResult(status="retrying", fired=self._of(call.stage_id, {"retry"}), delay=SOON)
        if self.waiting.get(name):
            return self.waiting[name].pop(0)
        scripted = self.outcomes.get(name, usual) if port != "skip" else usual
        if not isinstance(scripted, str):
            attempt = activity.info().attempt
            if attempt <= len(scripted):
                raise scripted[attempt - 1]
            scripted = usual
        return StageResult(status=scripted, fired=self._fired(call.stage_id, scripted))

    def _fired(self, stage: str, status: StageStatus) -> tuple[int, ...]:
        heard = set(HEARD.get(status, ()))
        planned = [one for graph in self._graphs for one in graph.stages if one.id == stage]
        if status == "failed" and any(one.continue_on_error for one in planned):
            heard.add("success")
        return self._of(stage, heard)

    def _of(self, stage: str, heard: set[str]) -> tuple[int, ...]:
        edges = [edge for graph in self._graphs for edge in graph.edges]
        wanted = {edge.index for edge in edges if edge.source == stage and edge.on in heard}
        return tuple(sorted(wanted - self.dead))

    @property
    def _graphs(self) -> list[Graph]:
        return [self.plan, *self.plan.sides, *self.plan.handlers.values()]

    async def _gate(self, name: str) -> None:
        if name in self.gates:
            await self.gates[name].passed()
