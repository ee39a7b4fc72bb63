"""What is done with the versions of actions."""

import asyncio

from api.actions import Upload, apply_action, plan_action
from api.body import Body
from api.caller import Caller
from api.cursor import not_a_cursor, read_cursor, write_cursor
from api.outbox import Outbox
from api.requests import RollbackRequest
from api.views.action import AppliedAction
from api.views.listing import PageOf
from api.views.version import (
    DiffView,
    VersionSummary,
    VersionView,
    summarise_version,
    view_diff,
    view_version,
)
from cronny.errors import Conflict
from cronny.store.tables import ActionVersion
from cronny.store.tenant_store import TenantStore


async def list_versions(caller: Caller, name: str, cursor: str | None, limit: int) -> PageOf[VersionSummary]:
    """A page of an action's versions, the latest first; raises NotFound, and Invalid for the cursor."""
    before = _version_in(cursor) if cursor else None
    async with caller.read() as store:
        action = await store.actions.get(name, with_deleted=True)
        found = await store.actions.versions(action, before, limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return PageOf(
        items=tuple(summarise_version(one) for one in found[:limit]),
        next=write_cursor(last.created_at, str(last.version)) if last is not None else None,
    )


async def show_version(caller: Caller, name: str, number: int) -> VersionView:
    """One version; raises NotFound."""
    async with caller.read() as store:
        action = await store.actions.get(name, with_deleted=True)
        return view_version(await store.actions.version(action, number))


async def diff_versions(caller: Caller, name: str, first: int | None, last: int | None) -> DiffView:
    """What one version has otherwise than another, the newest and the one before it unless given.

    Raises NotFound, and Conflict if there is only one.
    """
    async with caller.read() as store:
        action = await store.actions.get(name, with_deleted=True)
        last = last or action.version
        first = first or last - 1
        if first < 1:
            raise Conflict(f"the action '{name}' has no version before its first; name two of them")
        one = await store.actions.version(action, first)
        other = await store.actions.version(action, last)
    # Texts may have thousands of lines: other requests go on.
    return await asyncio.to_thread(view_diff, name, one, other)


async def roll_back(caller: Caller, outbox: Outbox, name: str, body: Body, is_dry: bool) -> AppliedAction:
    """Make the text of an older version the newest one.

    Raises NotFound, Conflict, and Invalid with what is wrong with that text by now.
    """
    wanted = body.read_as(RollbackRequest)
    async with caller.read() as store:
        version = await _wanted_version(store, name, wanted.version)
    upload = Upload(version.source.encode(), version.version, wanted.note)
    if is_dry:
        return await plan_action(caller, name, upload)
    return await apply_action(caller, outbox, name, upload)


async def _wanted_version(store: TenantStore, name: str, number: int | None) -> ActionVersion:
    action = await store.actions.get(name, with_deleted=True)
    if number is None:
        number = action.version if action.deleted_at is not None else action.version - 1
    if number < 1:
        raise Conflict(f"the action '{name}' has one version only; there is none to go back to")
    return await store.actions.version(action, number)


def _version_in(cursor: str) -> int:
    _, number = read_cursor(cursor)
    if not number.isdecimal():
        raise not_a_cursor()
    return int(number[:9])
