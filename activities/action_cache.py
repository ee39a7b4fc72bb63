"""Action versions, read once: they never change."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from activities.stages.kind import Kind
from cronny.store.actions import find_version
from cronny.store.database import Database
from dsl.action import Action, Stage
from dsl.graph import Edge, every_edge_of
from dsl.needs import stages_in, stages_needed
from dsl.outside import Outside, outside_of
from dsl.plan import Plan, plan_action
from dsl.scopes import SITUATIONS, Scope, Situation, scope_of

CACHED_VERSIONS = 2000  # about 20 KB each


@dataclass(frozen=True)
class LoadedAction:
    """An action version, ready to be executed."""

    action: Action
    plan: Plan
    stages: Mapping[str, Stage]
    edges: Mapping[int, Edge]
    scopes: Mapping[Situation, Scope]
    needs: Mapping[str, frozenset[str]]  #: The stages whose records each stage reads.
    given: frozenset[str]  #: The stages whose records the outputs of the action read.
    outside: Outside  #: The variables and secrets that it uses.


class ActionCache:
    """The action versions that this process used lately."""

    def __init__(self, database: Database, kinds: Mapping[str, Kind]) -> None:
        self._database = database
        self._kinds = kinds
        self._loaded: OrderedDict[tuple[str, int], asyncio.Task[LoadedAction]] = OrderedDict()

    async def get(self, action_id: str, version: int) -> LoadedAction:
        """The action version; many that ask at once share one read."""
        key = (action_id, version)
        task = self._loaded.get(key)
        if task is None or _has_failed(task):
            task = self._loaded[key] = asyncio.create_task(self._load(action_id, version))
        self._loaded.move_to_end(key)
        if len(self._loaded) > CACHED_VERSIONS:
            self._loaded.popitem(last=False)
        return await asyncio.shield(task)

    async def _load(self, action_id: str, version: int) -> LoadedAction:
        async with self._database.read() as session:
            row = await find_version(session, action_id, version)
        return ready(Action.model_validate(row.model), self._kinds)


def ready(action: Action, kinds: Mapping[str, Kind]) -> LoadedAction:
    """A checked action with what its execution looks up."""
    return LoadedAction(
        action=action,
        plan=plan_action(action, kinds),
        stages=action.all_stages,
        edges={edge.index: edge for edge in every_edge_of(action)},
        scopes={situation: scope_of(action, situation) for situation in SITUATIONS},
        needs=stages_needed(action),
        given=stages_in(action.outputs),
        outside=outside_of(action.model_dump(mode="json")),
    )


def _has_failed(task: "asyncio.Task[LoadedAction]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
