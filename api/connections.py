"""What is done with connections; their secrets come in and never go out."""

from pydantic import BaseModel, JsonValue

from api.body import Body
from api.caller import Caller
from api.requests import ConnectionRequest
from api.stored import users_of
from api.views.connection import ConnectionView, view_connection
from api.views.listing import Listing
from cronny.errors import Conflict
from cronny.store.tables import ConnectionRow, EventKind
from cronny.store.tenant_store import TenantStore
from cronny.vault import seal, split_secrets
from dsl.problems import did_you_mean


async def put_connection(caller: Caller, name: str, body: Body) -> ConnectionView:
    """Make a connection what a body says, secrets included; raises Invalid, and Conflict for a new kind."""
    wanted = body.read_as(ConnectionRequest)
    model = body.read_part(_model_of(caller, wanted.kind, body), wanted.settings, ("settings",))
    settings, secrets = split_secrets(model)
    async with caller.write() as store:
        row = await store.connections.reserve(name, wanted.kind, store.now)
        if row.kind != wanted.kind:
            await _require_unused(store, row, f"be of kind {wanted.kind}")
        sealed = seal(caller.parts.keyring, row, secrets)
        await store.connections.save(row, wanted.kind, settings, sealed, store.now)
        details: dict[str, JsonValue] = {"connection": name, "revision": row.revision}
        await store.note(EventKind.CONNECTION_SAVED, details=details)
    return view_connection(row, caller.parts.keyring)


async def list_connections(caller: Caller) -> Listing[ConnectionView]:
    """Every connection, by name."""
    async with caller.read() as store:
        rows = await store.connections.all()
    return Listing(items=tuple(view_connection(row, caller.parts.keyring) for row in rows))


async def show_connection(caller: Caller, name: str) -> ConnectionView:
    """A connection without its secrets; raises NotFound."""
    async with caller.read() as store:
        return view_connection(await store.connections.get(name), caller.parts.keyring)


async def delete_connection(caller: Caller, name: str) -> None:
    """Forget a connection; raises NotFound, and Conflict while an action uses it."""
    async with caller.write() as store:
        row = await store.connections.get(name, is_locked=True)
        await _require_unused(store, row, "be deleted")
        await store.connections.delete(row)
        await store.note(EventKind.CONNECTION_DELETED, details={"connection": name})


def _model_of(caller: Caller, kind: str, body: Body) -> type[BaseModel]:
    models = {
        known.name: known.connection_model
        for known in caller.parts.kinds.values()
        if known.connection_model is not None
    }
    if kind not in models:
        hint = did_you_mean(kind[:60], models) or f"the kinds are {', '.join(sorted(models))}"
        raise body.refuse(("kind",), f"no kind '{kind[:60]}' takes a connection", hint, "unknown_kind")
    return models[kind]


async def _require_unused(store: TenantStore, row: ConnectionRow, wish: str) -> None:
    users = users_of(row.name, await store.actions.newest())
    if users:
        names = ", ".join(f"'{name}'" for name in users)
        raise Conflict(f"the connection '{row.name}' cannot {wish}: it is used by {names}")
