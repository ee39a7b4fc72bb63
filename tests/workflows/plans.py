"""Plans and fires in few words."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from dsl.plan import Graph, Plan, PlannedEdge, PlannedStage, Side
from workflows.messages import Allocation, Fire


def make_plan(stages: str, *edges: str, **special: dict[str, Any]) -> Plan:
    """A plan of stages "a b c" and edges "a b" (on success) or "a b error"; `special` overrides fields."""
    ends = [edge.split() for edge in edges]
    targets = {target for _, target, *_ in ends}
    planned: list[dict[str, Any]] = [
        {"id": id_, "is_pure": False, "is_root": id_ not in targets, "timeout": timedelta(seconds=60)}
        for id_ in stages.split()
    ]
    return Plan(
        stages=tuple(PlannedStage.model_validate({**one, **special.get(one["id"], {})}) for one in planned),
        edges=tuple(
            PlannedEdge.model_validate(
                {"index": index, "source": source, "target": target, "on": (on or ["success"])[0]}
            )
            for index, (source, target, *on) in enumerate(ends)
        ),
    )


def make_chain(length: int, **fields: Any) -> Plan:
    """Stages s0, s1, … in a row."""
    names = [f"s{index}" for index in range(length)]
    edges = [f"{a} {b}" for a, b in pairwise(names)]
    return make_plan(" ".join(names), *edges, **dict.fromkeys(names, fields))


def make_fire(tenant: str, number: int = 1, **fields: Any) -> Fire:
    """A fire that is due now."""
    return Fire.model_validate(
        {
            "tenant": tenant,
            "trigger_id": f"trg_{number}",
            "action_id": "act_1",
            "action": "check_orders",
            "version": 3,
            "schedule": "hourly",
            "number": number,
            "generation": 1,
            "due": datetime.now(UTC),
            "workflow_id": f"trigger/{tenant}/hourly/{number}",
            **fields,
        }
    )


def give(*fires: Fire, wake: datetime | None = None, generation: int = 1) -> Allocation:
    """What an allocation answers; without a wake the schedule has ended."""
    return Allocation(generation=generation, fires=fires, wake=wake)


def in_an_hour() -> datetime:
    """A wake that no test waits for."""
    return datetime.now(UTC) + timedelta(hours=1)


def make_foreach(at_once: int = 3, *, is_strict: bool = True) -> dict[str, Any]:
    """The special field of a stage that is executed for each item of a list."""
    return {"foreach": {"at_once": at_once, "is_strict": is_strict}}


def make_handlers(**lists: str) -> dict[str, Graph]:
    """Lists of stages behind a graph: `on_error="page tell"`; their edges are numbered from 100 on."""
    graphs, first = {}, 100
    for name, stages in lists.items():
        ids = stages.split()
        graph = make_plan(stages, *(f"{a} {b}" for a, b in pairwise(ids)))
        graphs[name] = Graph(
            stages=tuple(stage.model_copy(update={"is_root": False}) for stage in graph.stages),
            edges=tuple(edge.model_copy(update={"index": edge.index + first}) for edge in graph.edges),
        )
        first += len(ids)
    return graphs


def make_side(source: str, stages: str, *edges: str) -> Side:
    """A branch that is executed for each failed attempt; its edges are numbered from 50 on."""
    graph = make_plan(stages, *edges)
    moved = tuple(edge.model_copy(update={"index": edge.index + 50}) for edge in graph.edges)
    return Side(source=source, stages=graph.stages, edges=moved)


def undoable(*stages: str) -> dict[str, dict[str, Any]]:
    """The special fields of stages that can be undone."""
    undo = {"is_pure": False, "is_root": False, "timeout": timedelta(seconds=60)}
    return {stage: {"undo": {"id": f"{stage}.undo", **undo}} for stage in stages}
