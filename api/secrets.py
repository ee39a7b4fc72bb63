"""What is done with secrets: they come in and never go out."""

from api.body import Body
from api.caller import Caller
from api.requests import SecretRequest
from api.stored import require_unused, users_of_outside
from api.views.listing import Listing
from api.views.secret import SecretDetail, SecretView, detail_secret, view_secret
from cronny.store.tables import EventKind
from cronny.vault import seal_secret


async def put_secret(caller: Caller, name: str, body: Body) -> SecretView:
    """Give a secret a value; raises Invalid."""
    wanted = body.read_as(SecretRequest)
    keyring = caller.parts.keyring
    async with caller.write() as store:
        row = await store.secrets.reserve(name, store.now)
        await store.secrets.save(row, seal_secret(keyring, row, wanted.value), store.now)
        await store.note(EventKind.SECRET_SAVED, details={"secret": name, "revision": row.revision})
    return view_secret(row, keyring)


async def list_secrets(caller: Caller) -> Listing[SecretView]:
    """Every secret, by name, without its value."""
    async with caller.read() as store:
        rows = await store.secrets.all()
    return Listing(items=tuple(view_secret(row, caller.parts.keyring) for row in rows))


async def show_secret(caller: Caller, name: str) -> SecretDetail:
    """A secret without its value, and who uses it; raises NotFound."""
    async with caller.read() as store:
        row = await store.secrets.get(name)
        users = users_of_outside("secrets", name, await store.actions.newest())
    return detail_secret(row, caller.parts.keyring, users)


async def delete_secret(caller: Caller, name: str, is_forced: bool) -> None:
    """Forget a secret; raises NotFound, and Conflict while an action uses it unless that is forced."""
    async with caller.write() as store:
        row = await store.secrets.get(name, is_locked=True)
        users = users_of_outside("secrets", name, await store.actions.newest())
        details = require_unused(f"the secret '{name}' cannot be deleted", users, is_forced)
        await store.secrets.delete(row)
        await store.note(EventKind.SECRET_DELETED, details={"secret": name, **details})
