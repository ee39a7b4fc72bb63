"""What is done with webhooks; their tokens are shown once."""

from pydantic import JsonValue

from api.body import Body
from api.caller import Caller
from api.stored import read_stored
from api.views.listing import Listing
from api.views.webhook import SavedWebhook, WebhookView, view_webhook
from api.webhook_settings import WebhookRequest, keep, new_token, sealed_secret
from cronny.errors import NotFound
from cronny.secrets import hash_key
from cronny.store.tables import ActionRow, EventKind
from cronny.store.tenant_store import TenantStore
from cronny.store.webhooks import Webhook
from dsl.inputs import misfits
from dsl.problems import did_you_mean


async def put_webhook(caller: Caller, name: str, body: Body) -> tuple[SavedWebhook, bool]:
    """Make a webhook what a body says, and whether it is new; raises Invalid."""
    wanted = body.read_as(WebhookRequest)
    token = new_token()
    async with caller.write() as store:
        action = await _action(store, wanted.action, body)
        await _require_inputs(store, action, wanted, body)
        row = await store.webhooks.reserve(name, action, hash_key(token), store.now)
        is_new = row.revision == 0
        sealed, secret = sealed_secret(caller.parts.keyring, row, wanted)
        await store.webhooks.save(row, keep(wanted).model_dump(mode="json"), sealed, store.now)
        await _note(store, EventKind.WEBHOOK_SAVED, Webhook(row, action, store.tenant))
    view = view_webhook(Webhook(row, action, caller.tenant))
    return _saved(caller, view, token if is_new else None, secret), is_new


async def rotate_webhook(caller: Caller, name: str) -> SavedWebhook:
    """Give a webhook another token; raises NotFound."""
    token = new_token()
    async with caller.write() as store:
        webhook = await store.webhooks.get(name, is_locked=True)
        await store.webhooks.rotate(webhook.row, hash_key(token), store.now)
        await _note(store, EventKind.WEBHOOK_ROTATED, webhook)
    return _saved(caller, view_webhook(webhook), token, None)


async def list_webhooks(caller: Caller) -> Listing[WebhookView]:
    """Every webhook, by name."""
    async with caller.read() as store:
        return Listing(items=tuple(view_webhook(one) for one in await store.webhooks.all()))


async def show_webhook(caller: Caller, name: str) -> WebhookView:
    """A webhook without its token; raises NotFound."""
    async with caller.read() as store:
        return view_webhook(await store.webhooks.get(name))


async def delete_webhook(caller: Caller, name: str) -> None:
    """Forget a webhook; raises NotFound."""
    async with caller.write() as store:
        webhook = await store.webhooks.get(name, is_locked=True)
        await store.webhooks.delete(webhook.row)
        await _note(store, EventKind.WEBHOOK_DELETED, webhook)


async def _action(store: TenantStore, name: str, body: Body) -> ActionRow:
    try:
        return await store.actions.get(name, is_held=True)
    except NotFound:
        known = [action.name for action in await store.actions.all()]
        hint = did_you_mean(name[:60], known) or "upload it first"
        raise body.refuse(("action",), f"there is no action '{name[:60]}'", hint, "action") from None


async def _require_inputs(store: TenantStore, action: ActionRow, wanted: WebhookRequest, body: Body) -> None:
    """Refuse inputs that the action does not have, and values that do not fit."""
    declared = read_stored(await store.actions.version(action)).inputs
    for name in wanted.inputs.keys() - declared.keys():
        hint = did_you_mean(name[:60], declared)
        raise body.refuse(("inputs", name), "there is no such input", hint, "unknown_input")
    for name, value in wanted.inputs.items():
        for wrong in misfits(declared[name], value) if value is not None else ():
            raise body.refuse(("inputs", name), wrong, code="type")
    if wanted.payload is not None and wanted.payload not in declared:
        hint = did_you_mean(wanted.payload, declared) or "declare it in the action, as type object"
        raise body.refuse(("payload",), "the action has no such input", hint, "unknown_input")


async def _note(store: TenantStore, kind: EventKind, webhook: Webhook) -> None:
    details: dict[str, JsonValue] = {"webhook": webhook.row.name}
    await store.note(kind, action_id=webhook.action.id, details=details)


def _saved(caller: Caller, view: WebhookView, token: str | None, secret: str | None) -> SavedWebhook:
    url = f"{caller.parts.outside_url}/v1/hooks/{token}" if token is not None else None
    return SavedWebhook(**dict(view), url=url, secret=secret)
