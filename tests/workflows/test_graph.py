"""Progress, against a model that looks at the whole graph at once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from dsl.plan import Plan, PlannedEdge, PlannedStage
from tests.workflows.plans import make_chain, make_plan
from workflows.graph import Progress
from workflows.messages import StageStatus

EVENTS: dict[str, StageStatus] = {"success": "completed", "error": "failed", "skipped": "skipped"}


@dataclass(frozen=True)
class Story:
    """A graph, how its stages end when they are executed, and which conditions say yes."""

    plan: Plan
    outcomes: dict[str, StageStatus]
    conditions: frozenset[int]

    def fires(self, edge: PlannedEdge, status: StageStatus) -> bool:
        (source,) = [stage for stage in self.plan.stages if stage.id == edge.source]
        is_bold = status == "failed" and source.continue_on_error and edge.on == "success"
        is_heard = edge.on == "always" or EVENTS[edge.on] == status or is_bold
        return is_heard and edge.index in self.conditions

    def fired(self, stage: str, status: StageStatus) -> tuple[int, ...]:
        return tuple(e.index for e in self.plan.edges if e.source == stage and self.fires(e, status))


@st.composite
def stories(draw: st.DrawFn) -> Story:
    names = [f"s{index}" for index in range(draw(st.integers(1, 9)))]
    stages = [
        PlannedStage(
            id=name, is_pure=False, is_root=False, timeout=timedelta(1),
            join=draw(st.sampled_from(["any", "all"])), continue_on_error=draw(st.booleans()),
        )
        for name in draw(st.permutations(names))
    ]  # fmt: skip
    pairs = [(a, b) for index, a in enumerate(names) for b in names[index + 1 :]]
    ends = draw(st.lists(st.sampled_from(pairs), max_size=20)) if pairs else []
    edges = [
        PlannedEdge(index=index, source=a, target=b, on=draw(st.sampled_from([*EVENTS, "success", "always"])))
        for index, (a, b) in enumerate(ends)
    ]
    statuses: st.SearchStrategy[StageStatus] = st.sampled_from(
        ("completed", "completed", "failed", "skipped")
    )
    outcomes = {name: draw(statuses) for name in names}
    conditions = draw(st.frozensets(st.integers(0, 19))) | draw(
        st.sampled_from([frozenset(), set(range(20))])
    )
    return Story(Plan(stages=tuple(stages), edges=tuple(edges)), outcomes, frozenset(conditions))


Way = Literal["run", "skip"]


@dataclass(frozen=True)
class Told:
    """What Progress had done with each stage, in order, and how it came out."""

    ways: dict[str, Way]
    ended: dict[str, str]
    unhandled: frozenset[str]
    untouched: tuple[str, ...]


def execute(story: Story, choose: Callable[[int], int]) -> Told:
    """Drive Progress; of the stages under way, `choose` says which ends next."""
    progress, ways, under_way = Progress(story.plan), dict[str, Way](), list[PlannedStage]()
    while True:
        for stage in progress.ready():
            sources = {edge.source for edge in story.plan.edges if edge.target == stage.id}
            assert sources <= progress.ended.keys(), f"{stage.id} was ready too early"
            assert stage.id not in ways, f"{stage.id} was ready twice"
            ways[stage.id] = "run" if progress.is_wanted(stage) else "skip"
            progress.start(stage)
            under_way.append(stage)
        if not under_way:
            ended = dict(progress.ended)
            return Told(ways, ended, frozenset(progress.unhandled), progress.untouched())
        stage = under_way.pop(choose(len(under_way)))
        status = story.outcomes[stage.id] if ways[stage.id] == "run" else "skipped"
        progress.settle(stage, status, story.fired(stage.id, status))


def model(story: Story) -> dict[str, StageStatus]:
    """How each stage ends if nothing is left out: what its incoming connectors come to, to the bottom."""

    def end(stage: PlannedStage) -> StageStatus:
        into = [edge for edge in story.plan.edges if edge.target == stage.id]
        verdicts = [story.fires(edge, end(by_id[edge.source])) for edge in into]
        join = all if stage.join == "all" else any
        return story.outcomes[stage.id] if not into or join(verdicts) else "skipped"

    by_id = {stage.id: stage for stage in story.plan.stages}
    return {stage.id: end(stage) for stage in story.plan.stages}


def unhandled(story: Story, ends: dict[str, StageStatus]) -> frozenset[str]:
    """The failed stages that no error or always connector, and no `continue_on_error`, takes care of."""
    handlers = {
        e.source for e in story.plan.edges if e.on in ("error", "always") and story.fires(e, "failed")
    }
    bold = {stage.id for stage in story.plan.stages if stage.continue_on_error}
    return frozenset(stage for stage, status in ends.items() if status == "failed") - handlers - bold


@given(stories(), st.data())
def test_every_stage_ends_once_as_the_model_says_in_whatever_order(story: Story, data: st.DataObject) -> None:
    told = execute(story, lambda count: data.draw(st.integers(0, count - 1)))
    ends = model(story)
    mistakes = unhandled(story, ends)
    assert told.ended.keys() == told.ways.keys()
    assert told.ended.items() <= ends.items()
    assert {*told.ended, *told.untouched} == ends.keys()
    assert not told.ended.keys() & set(told.untouched)
    assert told.unhandled <= mistakes
    assert bool(told.unhandled) == bool(mistakes)
    assert bool(mistakes) or not told.untouched


@given(stories(), st.data())
def test_what_ran_does_not_depend_on_the_order_unless_something_fails(
    story: Story, data: st.DataObject
) -> None:
    told = [
        execute(story, lambda count: 0),
        execute(story, lambda count: data.draw(st.integers(0, count - 1))),
    ]
    if not told[0].unhandled:
        assert told[0] == told[1]
    assert bool(told[0].unhandled) == bool(told[1].unhandled)


def test_nothing_is_ready_after_an_unhandled_failure() -> None:
    progress = Progress(make_plan("a b c", "b c"))
    a, b, _ = progress.plan.stages
    progress.start(a)
    progress.start(b)
    progress.settle(a, "failed", ())
    progress.settle(b, "completed", (0,))
    assert (progress.ready(), progress.untouched()) == ([], ("c",))


def test_a_lost_stage_is_unhandled_whatever_the_plan_says() -> None:
    progress = Progress(make_chain(2, continue_on_error=True))
    stage = progress.ready()[0]
    progress.start(stage)
    progress.lose(stage)
    assert (progress.unhandled, progress.ready(), progress.untouched()) == (["s0"], [], ("s1",))
