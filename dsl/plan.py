"""What a trigger workflow interprets: ids, edges, joins and limits of time; never a payload or a secret."""

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from dsl.action import Action
from dsl.graph import edges_of
from dsl.kinds import Catalogue

EdgeEvent = Literal["success", "error", "skipped", "always", "waiting", "reminder"]


class PlannedStage(BaseModel):
    """A stage as the workflow sees it."""

    model_config = ConfigDict(frozen=True)

    id: str
    is_pure: bool
    is_root: bool
    is_waiting: bool = False  #: It holds no slot while it waits.
    join: Literal["any", "all"] = "any"
    continue_on_error: bool = False
    timeout: timedelta  #: of one attempt


class PlannedEdge(BaseModel):
    """A connector as the workflow sees it."""

    model_config = ConfigDict(frozen=True)

    index: int
    source: str
    target: str
    on: EdgeEvent


class Plan(BaseModel):
    """The graph of one action version."""

    model_config = ConfigDict(frozen=True)

    stages: tuple[PlannedStage, ...]
    edges: tuple[PlannedEdge, ...]


def plan_action(action: Action, catalogue: Catalogue) -> Plan:
    """The plan of a checked action."""
    edges = tuple(
        PlannedEdge(index=edge.index, source=edge.source, target=edge.target, on=edge.on)
        for edge in edges_of(action)
    )
    targets = {edge.target for edge in edges}
    stages = tuple(
        PlannedStage(
            id=stage.id,
            is_pure=catalogue[stage.uses].is_pure,
            is_root=stage.id not in targets,
            is_waiting=catalogue[stage.uses].is_waiting,
            join=stage.join,
            continue_on_error=stage.continue_on_error,
            timeout=stage.timeout,
        )
        for stage in action.stages
    )
    return Plan(stages=stages, edges=edges)
