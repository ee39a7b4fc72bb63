"""Plans and fires in few words."""

from datetime import UTC, datetime, timedelta
from typing import Any

from dsl.plan import Plan, PlannedEdge, PlannedStage
from workflows.messages import Allocation, Fire


def make_plan(stages: str, *edges: str, **special: dict[str, Any]) -> Plan:
    """A plan of stages "a b c" and edges "a b" (on success) or "a b error"; `special` overrides fields."""
    ends = [edge.split() for edge in edges]
    targets = {target for _, target, *_ in ends}
    planned = [
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
    edges = [f"{a} {b}" for a, b in zip(names, names[1:], strict=False)]
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
