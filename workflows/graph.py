"""The state of a graph of stages while a trigger executes: pure, deterministic, without Temporal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dsl.plan import Graph, PlannedEdge, PlannedStage


@dataclass
class Progress:
    """Which stages have ended and which connectors are settled; a connector is fired or dead."""

    plan: Graph
    started: set[str] = field(default_factory=set)
    ended: dict[str, str] = field(default_factory=dict)
    fired: dict[int, bool] = field(default_factory=dict)
    unhandled: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._into = _by_stage(self.plan, lambda edge: edge.target)
        self._out_of = _by_stage(self.plan, lambda edge: edge.source)

    def ready(self) -> list[PlannedStage]:
        """The stages that were not started and whose incoming connectors are all settled, in order."""
        return [] if self.unhandled else [stage for stage in self.plan.stages if self._is_ready(stage)]

    def start(self, stage: PlannedStage) -> None:
        """Note that a stage was handed out."""
        self.started.add(stage.id)

    def is_wanted(self, stage: PlannedStage) -> bool:
        """Whether a ready stage is to run, by its join rule; otherwise it is skipped."""
        verdicts = [self.fired[edge.index] for edge in self._into[stage.id]]
        return not verdicts or (all(verdicts) if stage.join == "all" else any(verdicts))

    def incoming(self, stage: PlannedStage) -> tuple[int, ...]:
        """The connectors that fired into a ready stage."""
        return tuple(edge.index for edge in self._into[stage.id] if self.fired[edge.index])

    def settle(self, stage: PlannedStage, status: str, fired: Sequence[int]) -> None:
        """Take in how a stage ended and which of its outgoing connectors fired."""
        self.ended[stage.id] = status
        outgoing = self._out_of[stage.id]
        for edge in outgoing:
            self.fired.setdefault(edge.index, edge.index in fired)
        is_handled = stage.continue_on_error or any(
            edge.index in fired for edge in outgoing if edge.on in ("error", "always")
        )
        if status == "failed" and not is_handled:
            self.unhandled.append(stage.id)

    def foresee(self, early: Sequence[int], fired: Sequence[int]) -> None:
        """Take in which connectors of a stage that waits are settled before its end."""
        self.fired.update({index: index in fired for index in early})

    def lose(self, stage: PlannedStage) -> None:
        """Take in that a stage could not be executed or recorded: nothing handles that."""
        self.settle(stage, "lost", ())
        self.unhandled.append(stage.id)

    def untouched(self) -> tuple[str, ...]:
        """The stages that were never handed out."""
        return tuple(stage.id for stage in self.plan.stages if stage.id not in self.started)

    def _is_ready(self, stage: PlannedStage) -> bool:
        return stage.id not in self.started and all(edge.index in self.fired for edge in self._into[stage.id])


def _by_stage(plan: Graph, end: Callable[[PlannedEdge], str]) -> dict[str, list[PlannedEdge]]:
    edges: dict[str, list[PlannedEdge]] = {stage.id: [] for stage in plan.stages}
    for edge in plan.edges:  # In a branch some come from a stage outside.
        edges.setdefault(end(edge), []).append(edge)
    return edges
