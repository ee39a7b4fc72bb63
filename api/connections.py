"""What is done with connections; their secrets come in and never go out."""

from pydantic import BaseModel, JsonValue

from api.body import Body
from api.caller import Caller
from api.requests import ConnectionRequest
from api.stored import require_unused, users_by_connection, users_of
from api.views.connection import ConnectionTest, ConnectionView, view_connection, view_test
from api.views.listing import Listing
from cronny.errors import Conflict, Unavailable
from cronny.store.tables import EventKind
from cronny.temporal.checks import run_check
from cronny.vault import seal, split_secrets
from dsl.problems import did_you_mean
from workflows.messages import CheckCall


async def put_connection(caller: Caller, name: str, body: Body) -> ConnectionView:
    """Make a connection what a body says, secrets included; raises Invalid, and Conflict for a new kind."""
    wanted = body.read_as(ConnectionRequest)
    model = body.read_part(_model_of(caller, wanted.kind, body), wanted.settings, ("settings",))
    settings, secrets = split_secrets(model)
    async with caller.write() as store:
        row = await store.connections.reserve(name, wanted.kind, store.now)
        if row.kind != wanted.kind:
            wish = f"the connection '{name}' cannot be of kind {wanted.kind}"
            require_unused(wish, users_of(name, await store.actions.newest()), is_forced=False)
        sealed = seal(caller.parts.keyring, row, secrets)
        await store.connections.save(row, wanted.kind, settings, sealed, store.now)
        details: dict[str, JsonValue] = {"connection": name, "revision": row.revision}
        await store.note(EventKind.CONNECTION_SAVED, details=details)
        users = users_of(name, await store.actions.newest())
    return view_connection(row, caller.parts.keyring, users)


async def list_connections(caller: Caller) -> Listing[ConnectionView]:
    """Every connection, by name."""
    async with caller.read() as store:
        rows, versions = await store.connections.all(), await store.actions.newest()
    keyring, users = caller.parts.keyring, users_by_connection(versions)
    views = [view_connection(row, keyring, users.get(row.name, ())) for row in rows]
    return Listing(items=tuple(views))


async def show_connection(caller: Caller, name: str) -> ConnectionView:
    """A connection without its secrets; raises NotFound."""
    async with caller.read() as store:
        row = await store.connections.get(name)
        users = users_of(name, await store.actions.newest())
    return view_connection(row, caller.parts.keyring, users)


async def check_connection(caller: Caller, name: str) -> ConnectionTest:
    """Have a worker of the tenant test a connection.

    Raises NotFound, Conflict for what cannot be tested, and Unavailable when no worker answers.
    """
    async with caller.read() as store:
        row = await store.connections.get(name)
    kind = caller.parts.kinds.get(row.kind)
    if kind is None or kind.check_connection is None:
        raise Conflict(f"connections of kind {row.kind} cannot be tested; a stage that uses it will tell")
    call = CheckCall(tenant=caller.tenant.slug, connection_id=row.id, connection=name)
    await run_check(caller.parts.temporal, call)
    async with caller.read() as store:
        tested = view_test((await store.connections.get(name)).checked)
    if tested is None:
        raise Unavailable("the worker does not know this kind of connection; is it of another version?")
    return tested


async def delete_connection(caller: Caller, name: str, is_forced: bool) -> None:
    """Forget a connection; raises NotFound, and Conflict while an action uses it unless that is forced."""
    async with caller.write() as store:
        row = await store.connections.get(name, is_locked=True)
        users = users_of(name, await store.actions.newest())
        details = require_unused(f"the connection '{name}' cannot be deleted", users, is_forced)
        await store.connections.delete(row)
        await store.note(EventKind.CONNECTION_DELETED, details={"connection": name, **details})


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
