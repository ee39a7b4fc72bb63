"""What becomes of each stage, by outcome and connector, and what the ledger is told."""

from dataclasses import dataclass, field

import pytest
from temporalio.exceptions import ApplicationError

from dsl.plan import Plan
from tests.workflows.plans import make_plan
from tests.workflows.scripted import Gate
from tests.workflows.stand import Stand, wait_for
from workflows.messages import StageStatus


@dataclass(frozen=True)
class Case:
    """A graph with a script, and what it comes to."""

    plan: Plan
    ran: str
    skipped: str = ""
    status: str = "completed"
    failed: tuple[str, ...] = ()
    untouched: tuple[str, ...] = ()
    outcomes: dict[str, StageStatus] = field(default_factory=dict)
    dead: tuple[int, ...] = ()


FORK = ("a b", "a c")
JOIN = (*FORK, "b d", "c d")
ALL = {"join": "all"}
BOLD = {"continue_on_error": True}

CASES = {
    "both branches": Case(make_plan("a b c", *FORK), ran="abc"),
    "one branch": Case(make_plan("a b c", *FORK), dead=(1,), ran="ab", skipped="c"),
    "join any": Case(make_plan("a b c d", *JOIN), dead=(1,), ran="abd", skipped="c"),
    "join all": Case(make_plan("a b c d", *JOIN, d=ALL), dead=(1,), ran="ab", skipped="cd"),
    "skip spreads": Case(make_plan("a b c d", "a b", "b c", "c d"), dead=(0,), ran="a", skipped="bcd"),
    "skipped edge": Case(make_plan("a b c", "a b", "b c skipped"), dead=(0,), ran="ac", skipped="b"),
    "own condition": Case(make_plan("a b", "a b"), outcomes={"a": "skipped"}, ran="a", skipped="b"),
    "handled": Case(
        make_plan("a b c", "a b", "a c error"), outcomes={"a": "failed"}, ran="ac", skipped="b"
    ),
    "handled by always": Case(make_plan("a b", "a b always"), outcomes={"a": "failed"}, ran="ab"),
    "always after success": Case(make_plan("a b", "a b always"), ran="ab"),
    "error edge after success": Case(make_plan("a b", "a b error"), ran="a", skipped="b"),
    "unhandled": Case(
        make_plan("a b c", "a b", "b c"), outcomes={"b": "failed"},
        ran="ab", status="failed", failed=("b",), untouched=("c",),
    ),
    "condition of the handler says no": Case(
        make_plan("a b", "a b error"), outcomes={"a": "failed"}, dead=(0,),
        ran="a", status="failed", failed=("a",), untouched=("b",),
    ),
    "continue on error": Case(make_plan("a b", "a b", a=BOLD), outcomes={"a": "failed"}, ran="ab"),
    "nothing follows, handled": Case(make_plan("a", a=BOLD), outcomes={"a": "failed"}, ran="a"),
    "the handler fails": Case(
        make_plan("a b", "a b error"), outcomes={"a": "failed", "b": "failed"},
        ran="ab", status="failed", failed=("b",),
    ),
    "two connectors between two stages": Case(
        make_plan("a b", "a b", "a b error"), outcomes={"a": "failed"}, ran="ab"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_outcomes_lead_through_the_graph(stand: Stand, case: Case) -> None:
    stand.ports.outcomes, stand.ports.dead = dict(case.outcomes), frozenset(case.dead)
    await stand.execute(case.plan)
    (settlement,) = stand.ports.settlements
    ends = [line.split() for line in stand.ports.log]
    seen = Case(
        plan=case.plan, outcomes=case.outcomes, dead=case.dead,
        ran="".join(sorted(stage for port, *stage_ in ends if port == "run" for stage in stage_)),
        skipped="".join(sorted(stage for port, *stage_ in ends if port == "skip" for stage in stage_)),
        status=settlement.status, failed=settlement.failed, untouched=settlement.skipped,
    )  # fmt: skip
    assert seen == case


async def test_siblings_end_before_a_trigger_fails(stand: Stand) -> None:
    gate = stand.ports.gates["b"] = Gate()
    stand.ports.plan = make_plan("a b c", "b c")
    stand.ports.outcomes["a"] = "failed"
    handle = await stand.start_trigger()
    await wait_for(handle, "ACTIVITY_TASK_COMPLETED")
    await wait_for(handle, "WORKFLOW_TASK_COMPLETED", 2)
    assert sorted(stand.ports.log) == ["plan", "run a", "run b"]
    gate.open()
    await handle.result()
    assert stand.ports.log[-1] == "finish failed"
    assert stand.ports.settlements[0].skipped == ("c",)


async def test_an_unclaimed_trigger_is_left_alone(stand: Stand) -> None:
    stand.ports.outcomes["a"] = "unclaimed"
    await stand.execute(make_plan("a b", "a b"))
    assert stand.ports.log == ["plan", "run a"]


async def test_a_sibling_of_an_unclaimed_stage_is_told_to_stop(stand: Stand) -> None:
    stand.ports.outcomes["a"] = "unclaimed"
    stand.ports.gates["b"] = Gate()
    await stand.execute(make_plan("a b"))
    assert sorted(stand.ports.log) == ["cancelled b", "plan", "run a", "run b"]


async def test_a_stage_whose_worker_failed_is_tried_again(stand: Stand) -> None:
    stand.ports.outcomes["a"] = [ConnectionError("the database is away")]
    await stand.execute(make_plan("a"))
    assert stand.ports.log == ["plan", "run a", "run a", "finish completed"]


@pytest.mark.parametrize("plan", [make_plan("a b", "a b error"), make_plan("a b", "a b", a=BOLD)])
async def test_a_stage_that_cannot_be_executed_at_all_fails_the_trigger(stand: Stand, plan: Plan) -> None:
    stand.ports.outcomes["a"] = [ApplicationError("no way", non_retryable=True)]
    await stand.execute(plan)
    assert stand.ports.log == ["plan", "run a", "finish failed"]
    assert (stand.ports.settlements[0].failed, stand.ports.settlements[0].skipped) == (("a",), ("b",))
