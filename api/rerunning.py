"""Triggers that are executed again from where they failed, or from chosen stages on."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from pydantic import JsonValue

from api.body import Body
from api.caller import Caller
from api.outbox import Outbox
from api.requests import RerunRequest
from api.stored import read_stored
from api.triggers import require_id
from api.views.trigger import TriggerView, view_trigger
from cronny.errors import Conflict
from cronny.firing import fire_of
from cronny.store.reruns import Kept
from cronny.store.tables import EventKind, StageRow, StageState, TriggerState
from cronny.store.triggers import Entry
from dsl.action import UNDO, Action
from dsl.graph import downstream_of, edges_of
from dsl.problems import did_you_mean, known_hint

ENDED = (TriggerState.COMPLETED, TriggerState.FAILED, TriggerState.CANCELLED)


async def rerun_trigger(caller: Caller, outbox: Outbox, trigger_id: str, body: Body) -> TriggerView:
    """A new trigger that takes over what went well; raises NotFound, Conflict and Invalid."""
    wanted = body.read_as(RerunRequest)
    require_id(trigger_id)
    async with caller.write() as store:
        entry = await store.triggers.get(trigger_id)
        _require_ended(entry)
        action = read_stored(await store.triggers.version(entry))
        records = {row.stage_id: row for row in await store.triggers.stages(entry)}
        again = _chosen(action, wanted.from_, body) if wanted.from_ else _failed(action, records)
        repeated = downstream_of({*again, *_undone(records)}, edges_of(action))
        others = [stage.id for stage in action.stages if stage.id not in repeated]
        resumed = () if wanted.from_ else _resumed(action, again, _undone(records))
        kept = Kept([one for one in others if one in records], resumed)
        added = await store.triggers.rerun(entry, kept, store.now)
        await store.events.add(
            EventKind.TRIGGER_REQUESTED, action_id=entry.trigger.action_id, trigger_id=added.trigger.id,
            actor=store.actor, details=_details(trigger_id, again), now=store.now,
        )  # fmt: skip
    outbox.start(fire_of(added.trigger, caller.tenant.slug, added.action, None, store.now))
    return view_trigger(added)


def _details(trigger_id: str, again: Iterable[str]) -> dict[str, JsonValue]:
    return {"rerun_of": trigger_id, "from": list[JsonValue](sorted(again))}


def _require_ended(entry: Entry) -> None:
    row = entry.trigger
    if row.is_test:
        raise Conflict("this trigger is a test, of which nothing can be taken over; test the action again")
    if row.state not in ENDED or row.started_at is None:
        what = "has not ended" if row.finished_at is None else f"was {row.state} and never executed"
        raise Conflict(f"this trigger {what}; run the action, or wait for the trigger's end")


def _chosen(action: Action, stages: Sequence[str], body: Body) -> set[str]:
    known = [stage.id for stage in action.stages]
    for index, stage in enumerate(stages):
        if stage not in known:
            hint = did_you_mean(stage, known) or known_hint("stages", known)
            raise body.refuse(
                ("from", str(index)), f"the graph has no stage '{stage[:63]}'", hint, "unknown_stage"
            )
    return set(stages)


def _failed(action: Action, records: Mapping[str, StageRow]) -> set[str]:
    """The stages that did not come to an end, or to a bad one."""
    found = {stage.id for stage in action.stages if _is_open(records.get(stage.id))}
    if not found:
        raise Conflict("no stage of this trigger has failed; name those to begin with in `from`")
    return found


def _resumed(action: Action, failed: Collection[str], undone: Collection[str]) -> list[str]:
    """The failed stages that go on with what had not completed, as nothing before them is repeated."""
    edges = edges_of(action)
    roots = {*failed, *undone}
    return [one for one in failed if one not in undone and one not in downstream_of(roots - {one}, edges)]


def _is_open(row: StageRow | None) -> bool:
    return row is None or row.finished_at is None or row.state is StageState.FAILED


def _undone(records: Mapping[str, StageRow]) -> set[str]:
    """The stages whose effect was taken back."""
    return {
        name.removesuffix(UNDO)
        for name, row in records.items()
        if name.endswith(UNDO) and row.state is not StageState.SKIPPED
    }
