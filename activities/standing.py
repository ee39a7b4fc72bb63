"""What stands in for a stage in a test of its action: what was given, what was recorded, or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from activities.stages.kind import Kind, StageError
from activities.work import Work
from dsl.graph import Edge
from dsl.rehearsal import Given, Rehearsal


@dataclass(frozen=True)
class StandIn:
    """How a stage ends that is not executed."""

    output: JsonValue = None
    is_shaped: bool = False  #: Whether it is what `output:` would make of it.
    is_skipped: bool = False  #: Whether it is not what is tested.


SKIPPED = StandIn(is_skipped=True)


def stand_in(work: Work, kind: Kind) -> StandIn | None:
    """What takes the place of the stage's execution; None if it is executed.

    Raises StageError where an error is given, and for a side effect for which nothing is.
    """
    test = work.records.trigger.test
    if test is None:
        return None
    rehearsal, name = Rehearsal.model_validate(test), work.call.stage_id
    if (given := rehearsal.given.get(name)) is not None:
        return _as_given(given, work, is_shaped=False)
    if rehearsal.only is not None and name != rehearsal.only:
        return _beside(rehearsal, work)
    if kind.is_pure or kind.is_harmless or name == rehearsal.only or name in rehearsal.allow:
        return None
    if (recorded := rehearsal.recorded.get(name)) is not None:
        return _as_given(recorded, work, is_shaped=True)
    what = (
        f"'{name}' has side effects, and the test gives nothing for it: give it an output or an error, "
        "take one from an earlier trigger, or allow the stage"
    )
    raise StageError("not_given", what, retryable=False)


def is_left_out(work: Work) -> bool:
    """Whether a test that is of another stage leaves this one's items out."""
    test, name = work.records.trigger.test, work.call.stage_id
    only = Rehearsal.model_validate(test).only if test is not None else None
    return only is not None and name != only and name not in _before(only, work.loaded.edges)


def _beside(rehearsal: Rehearsal, work: Work) -> StandIn:
    """For a stage that is not tested: what it was once, or nothing, if the tested one comes after it."""
    name = work.call.stage_id
    if (recorded := rehearsal.recorded.get(name)) is not None:
        return _as_given(recorded, work, is_shaped=True)
    assert rehearsal.only is not None  # noqa: S101 - the caller has looked
    return StandIn(is_shaped=True) if name in _before(rehearsal.only, work.loaded.edges) else SKIPPED


def _before(stage: str, edges: Mapping[int, Edge]) -> frozenset[str]:
    """The stages from which connectors lead to this one."""
    found = frozenset({stage})
    while more := {edge.source for edge in edges.values() if edge.target in found} - found:
        found |= more
    return found - {stage}


def _as_given(given: Given, work: Work, *, is_shaped: bool) -> StandIn:
    if given.error is not None:
        error = given.error
        raise StageError(error.code, error.message, retryable=False, details=error.details)
    if given.items is None or work.item is None:
        return StandIn(given.output, is_shaped)
    if work.item.item >= len(given.items):
        what = f"the test gives {len(given.items)} items for '{work.call.stage_id}', and there are more"
        raise StageError("not_given", what, retryable=False)
    return StandIn(given.items[work.item.item], is_shaped)
