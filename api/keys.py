"""What is done with API keys."""

from api.body import Body
from api.caller import Caller
from api.permissions import scopes_of
from api.requests import KeyRequest
from api.views.key import CreatedKey, KeyView, details_of, view_key
from api.views.listing import Listing
from cronny.errors import Conflict, Forbidden
from cronny.secrets import hash_key, new_api_key
from cronny.store.tables import ApiKey, EventKind


async def create_key(caller: Caller, body: Body) -> CreatedKey:
    """Make a key; raises Invalid, Conflict, and Forbidden for more than the caller may."""
    wanted = body.read_as(KeyRequest)
    chosen = None if wanted.scopes is None else sorted(set(wanted.scopes))
    scopes = scopes_of(wanted.role, list(chosen) if chosen is not None else None)
    if beyond := sorted(set(chosen or ()) - scopes):
        hint = f"the role {wanted.role} has {', '.join(sorted(scopes_of(wanted.role, None)))}"
        raise body.refuse(("scopes",), f"the role {wanted.role} lacks {', '.join(beyond)}", hint, "scope")
    if missing := sorted(scopes - caller.scopes):
        raise Forbidden(f"this API key cannot give what it lacks: {', '.join(missing)}")
    secret = new_api_key()
    async with caller.write() as store:
        if wanted.expires is not None and wanted.expires <= store.now:
            raise body.refuse(("expires",), "must lie ahead")
        key = await store.keys.add(
            wanted.name, hash_key(secret), wanted.role, list(chosen) if chosen is not None else None,
            store.now, wanted.expires,
        )  # fmt: skip
        await store.note(EventKind.KEY_CREATED, details=details_of(key))
    return CreatedKey(**view_key(key).model_dump(), key=secret)


async def list_keys(caller: Caller) -> Listing[KeyView]:
    """Every key, by name; what they are is not kept."""
    async with caller.read() as store:
        rows = await store.keys.all()
    return Listing(items=tuple(view_key(row) for row in rows))


async def revoke_key(caller: Caller, name: str) -> None:
    """Take a key back; raises NotFound, and Conflict for the last one that may make others."""
    async with caller.write() as store:
        gone = await store.keys.revoke(name)
        if any(map(_makes_keys, gone)) and not any(map(_makes_keys, await store.keys.all())):
            raise Conflict(f"the key '{name}' is the last that may make keys for good; make another first")
        for key in gone:
            await store.note(EventKind.KEY_REVOKED, details=details_of(key))


def _makes_keys(key: ApiKey) -> bool:
    return key.expires_at is None and "keys:write" in scopes_of(key.role, key.scopes)
