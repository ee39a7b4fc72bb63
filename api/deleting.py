"""Taking actions away, with or without the schedules that trigger them."""

from collections.abc import Sequence
from typing import Literal

from api.caller import Caller
from api.embedding import drop_schedule
from api.outbox import Outbox
from api.previewing import compare, present_rules
from api.views.action import AppliedAction, Saved, ScheduleChange, applied
from cronny.errors import Conflict
from cronny.store.tables import ActionRow, EventKind, ScheduleRow
from cronny.store.tenant_store import TenantStore
from dsl.calls import calls_of

Including = Literal["none", "own", "all"]


async def delete_action(caller: Caller, outbox: Outbox, name: str, including: Including) -> AppliedAction:
    """Take an action away; raises NotFound, and Conflict while other schedules trigger it."""
    async with caller.write() as store:
        saved = await _delete(store, name, including)
    for effect in saved.effects:
        outbox.changed(caller.tenant, effect.row, name)
    return applied(saved, [ScheduleChange(name=one.row.name, change=one.change) for one in saved.effects])


async def plan_deletion(caller: Caller, name: str, including: Including) -> AppliedAction:
    """What the deletion would do, fires included, without doing it; raises as the deletion would."""
    async with caller.rehearse() as store:
        before = await present_rules(store, name, caller.parts.rules)
        saved = await _delete(store, name, including)
        now, names = store.now, [effect.row.name for effect in saved.effects]
        view = applied(saved, ())
    changes = [
        ScheduleChange(name=one, change="deleted", fires=await compare(before.get(one), None, now))
        for one in names
    ]
    return view.model_copy(update={"schedules": tuple(changes)})


async def _delete(store: TenantStore, name: str, including: Including) -> Saved:
    action = await store.actions.delete(name, store.now)
    own = await store.schedules.of_action(action.id)
    others = await store.schedules.of_action(action.id, is_embedded=False)
    await _require_uncalled(store, name, action)
    _require_unused(name, own if including == "none" else (), others if including != "all" else ())
    effects = [await drop_schedule(store, row.name) for row in (*own, *others)]
    await store.note(
        EventKind.ACTION_DELETED,
        action_id=action.id,
        details={"version": action.version, "schedules": [effect.row.name for effect in effects]},
    )
    return Saved("deleted", action, effects)


async def _require_uncalled(store: TenantStore, name: str, action: ActionRow) -> None:
    hooks = [f"'{one.row.name}'" for one in await store.webhooks.all() if one.row.action_id == action.id]
    models = [version.model for version in await store.actions.newest()]
    calling = [model for model in models if any(called == name for _, called in calls_of(model))]
    actions = [f"'{model.get('name')}'" for model in calling if isinstance(model, dict)]
    for noun, names in (("webhooks", hooks), ("actions", actions)):
        if names:
            what = f"{noun} trigger it: {', '.join(names)}; change or delete them first"
            raise Conflict(f"the action '{name}' cannot be deleted: {what}")


def _require_unused(name: str, own: Sequence[ScheduleRow], others: Sequence[ScheduleRow]) -> None:
    names = ", ".join(f"'{row.name}'" for row in (*own, *others))
    if others:
        hint = "delete them first, or with it (with_schedules=all)"
        raise Conflict(f"the action '{name}' cannot be deleted: schedules trigger it: {names}; {hint}")
    if own:
        hint = "delete them with it (with_schedules=own)"
        raise Conflict(f"the action '{name}' cannot be deleted: its text has schedules: {names}; {hint}")
