"""Triggers asked for by hand."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from api.body import Body
from api.limiting import require_small
from api.stored import read_stored
from cronny.errors import Invalid
from cronny.firing import fire_of
from cronny.store.tables import ActionRow, EventKind, ScheduleRow
from cronny.store.tenant_store import TenantStore
from cronny.store.triggers import Entry
from dsl.inputs import check_inputs
from dsl.problems import Problem
from workflows.messages import Fire


@dataclass(frozen=True)
class Added:
    """A new ledger row, and what its workflow is to be told after the commit."""

    entry: Entry
    fire: Fire


async def add_trigger(
    store: TenantStore,
    action: ActionRow,
    schedule: ScheduleRow | None,
    given: Mapping[str, JsonValue],
    body: Body,
) -> Added:
    """A trigger of the action's newest version that is due now; raises Invalid for the inputs."""
    inputs = await fill_values(store, action, given, body)
    entry = await store.triggers.add_manual(action, schedule, inputs, store.now)
    await store.note(EventKind.TRIGGER_REQUESTED, schedule, action_id=action.id, trigger_id=entry.trigger.id)
    fire = fire_of(entry.trigger, store.tenant.slug, entry.action, entry.schedule, store.now)
    return Added(entry, fire)


async def fill_values(
    store: TenantStore, action: ActionRow, given: Mapping[str, JsonValue], body: Body
) -> dict[str, JsonValue]:
    """A value for every input of the action's newest version; raises Invalid at the places in the body."""
    version = await store.actions.version(action)
    filled, problems = check_inputs(read_stored(version), given)
    if problems:
        raise Invalid([placed_in(problem, body) for problem in problems])
    require_small(store, filled, body.document, ("inputs",))
    return filled


def placed_in(problem: Problem, body: Body) -> Problem:
    """A problem of the inputs at its place in the body."""
    path = tuple(problem.where.split(".", 1))
    is_unknown = problem.code == "unknown_input"
    return problem.moved(*body.document.at(path, key=is_unknown))
