"""What is done with variables."""

from pydantic import JsonValue

from api.body import Body
from api.caller import Caller
from api.requests import VariableRequest
from api.stored import require_unused, users_of_outside
from api.views.listing import Listing
from api.views.variable import VariableDetail, VariableView, detail_variable, view_variable
from cronny.store.tables import EventKind

LARGEST = 64 * 1024  # bytes of JSON: every stage that names the variable reads all of it


async def put_variable(caller: Caller, name: str, body: Body) -> VariableView:
    """Give a variable a value; raises Invalid."""
    wanted = body.read_as(VariableRequest)
    if wanted.value is None:
        raise body.refuse(("value",), "must not be null", "delete the variable instead")
    if len(wanted.model_dump_json()) > LARGEST:
        raise body.refuse(("value",), f"is larger than {LARGEST // 1024} KiB", code="too_large")
    async with caller.write() as store:
        row, is_changed = await store.variables.save(name, wanted.value, store.now)
        if is_changed:
            details: dict[str, JsonValue] = {"variable": name, "revision": row.revision}
            await store.note(EventKind.VARIABLE_SAVED, details=details)
    return view_variable(row)


async def list_variables(caller: Caller) -> Listing[VariableView]:
    """Every variable, by name."""
    async with caller.read() as store:
        rows = await store.variables.all()
    return Listing(items=tuple(view_variable(row) for row in rows))


async def show_variable(caller: Caller, name: str) -> VariableDetail:
    """A variable and who uses it; raises NotFound."""
    async with caller.read() as store:
        row = await store.variables.get(name)
        users = users_of_outside("vars", name, await store.actions.newest())
    return detail_variable(row, users)


async def delete_variable(caller: Caller, name: str, is_forced: bool) -> None:
    """Forget a variable; raises NotFound, and Conflict while an action uses it unless that is forced."""
    async with caller.write() as store:
        row = await store.variables.get(name, is_locked=True)
        users = users_of_outside("vars", name, await store.actions.newest())
        details = require_unused(f"the variable '{name}' cannot be deleted", users, is_forced)
        await store.variables.forget(row, store.now)
        await store.note(EventKind.VARIABLE_DELETED, details={"variable": name, **details})
