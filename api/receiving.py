"""What calls of webhooks do: of actions, and of stages that wait."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from pydantic import JsonValue

from api.outbox import Outbox
from api.parts import Parts
from api.payload import Payload
from api.signatures import Headers, Proof, is_timed, proof_of, refusal_of
from api.stored import read_stored
from api.views.webhook import Accepted, Heard
from api.webhook_settings import Kept, settings_of
from cronny.errors import Conflict, Invalid, NotFound, TooMany
from cronny.firing import fire_of
from cronny.secrets import Unsealable, hash_key
from cronny.store.hooks import answer_wait
from cronny.store.row_security import narrow
from cronny.store.tables import EventKind
from cronny.store.tenant_store import TenantStore
from cronny.store.triggers import Entry, Origin
from cronny.store.webhook_tables import Delivery
from cronny.store.webhooks import (
    Webhook,
    add_delivery,
    find_delivery,
    find_webhook,
    note_refusal,
    recent_deliveries,
)
from cronny.vault import unseal_signer
from dsl.action import Input
from dsl.inputs import check_inputs
from dsl.problems import Problem

# What senders tell a repeated delivery by, where that is not signed.
DELIVERY_HEADERS = ("idempotency-key", "x-github-delivery", "webhook-id")


@dataclass(frozen=True)
class Call:
    """A call of a webhook."""

    token: str
    headers: Headers
    payload: Payload

    @property
    def digest(self) -> str:
        """What is known of the token."""
        return hash_key(self.token)

    @property
    def fingerprint(self) -> str:
        """What tells the body from others."""
        return sha256(self.payload.raw).hexdigest()


async def receive_call(parts: Parts, outbox: Outbox, call: Call) -> Accepted:
    """Trigger the webhook's action; raises NotFound, Conflict, Invalid and TooMany."""
    key = await _authenticated(parts, call)
    async with parts.database.write() as session:
        webhook = await find_webhook(session, call.digest, is_locked=True)
        await narrow(session, webhook.tenant.id)
        store = TenantStore(session, webhook.tenant, parts.clock(), f"webhook {webhook.row.name}")
        known = await find_delivery(session, webhook.row, key, store.now) if key else None
        if known is not None:
            return _repeated(known, call)
        settings = settings_of(webhook.row)
        if await recent_deliveries(session, webhook.row, store.now) >= settings.rate:
            raise TooMany(f"this webhook takes {settings.rate} calls a minute; send it again later")
        entry = await _add_trigger(store, webhook, settings, call.payload)
        delivery = Delivery(
            webhook_id=webhook.row.id, key=key or entry.trigger.id, trigger_id=entry.trigger.id,
            fingerprint=call.fingerprint, at=store.now,
        )  # fmt: skip
        await add_delivery(session, webhook.row, delivery)
    outbox.start(fire_of(entry.trigger, webhook.tenant.slug, entry.action, None, store.now))
    return Accepted(trigger=entry.trigger.id, replayed=False)


async def receive_answer(parts: Parts, outbox: Outbox, token: str, payload: Payload) -> Heard:
    """Hand what was sent to the stage that waits for it; raises NotFound and Conflict."""
    async with parts.database.write() as session:
        workflow = await answer_wait(session, hash_key(token), payload.value, parts.clock())
    outbox.release(workflow)
    return Heard()


async def _authenticated(parts: Parts, call: Call) -> str:
    """By what a repeated delivery is told, or nothing; raises NotFound, as for a token that is none.

    It takes no lock and begins no transaction that writes, whoever calls.
    """
    async with parts.database.read() as session:
        webhook = await find_webhook(session, call.digest)
    signing = settings_of(webhook.row).signature
    if signing is None:
        return _unsigned_key(call.headers)
    proof = proof_of(signing.scheme, call.headers, call.payload.raw, call.payload.value)
    try:
        secret = unseal_signer(parts.keyring, webhook.row)
        why = refusal_of(signing.scheme, secret, proof, parts.clock(), signing.tolerance)
    except Unsealable as error:
        why = str(error)
    if why is not None:
        async with parts.database.for_tenant(webhook.tenant.id).write() as session:
            await note_refusal(session, webhook.row, why, parts.clock())
        raise NotFound("there is nothing here")
    return _signed_key(proof) if is_timed(signing.scheme) else _unsigned_key(call.headers)


def _signed_key(proof: Proof) -> str:
    # What is not signed must not make a repeated call look new.
    return _hashed(f"signed {proof.call_id or proof.signed.hex()}")


def _unsigned_key(headers: Headers) -> str:
    found = next((f"{name} {headers[name]}" for name in DELIVERY_HEADERS if headers.get(name)), "")
    return _hashed(found) if found else ""


def _hashed(text: str) -> str:
    return sha256(text.encode(errors="replace")).hexdigest()


def _repeated(known: Delivery, call: Call) -> Accepted:
    if known.fingerprint != call.fingerprint:
        raise Conflict("a delivery with this key came before, with another body")
    return Accepted(trigger=known.trigger_id, replayed=True)


async def _add_trigger(store: TenantStore, webhook: Webhook, settings: Kept, payload: Payload) -> Entry:
    action = read_stored(await store.actions.version(webhook.action))
    given = {**_given(settings, payload, action.inputs), **settings.inputs}
    inputs, problems = check_inputs(action, given)
    if problems:
        raise Invalid(problems)
    name = webhook.row.name
    entry = await store.triggers.add_manual(
        webhook.action, None, dict(inputs), store.now, Origin("webhook", webhook=name)
    )
    await store.note(
        EventKind.TRIGGER_REQUESTED, action_id=webhook.action.id, trigger_id=entry.trigger.id,
        details={"webhook": name},
    )  # fmt: skip
    return entry


def _given(settings: Kept, payload: Payload, declared: Mapping[str, Input]) -> dict[str, JsonValue]:
    """The values that a body gives to inputs; senders have many more fields than anybody asks for."""
    if settings.payload is not None:
        return {settings.payload: payload.value}
    if not isinstance(payload.value, dict):
        what = "must be an object with the values of inputs"
        raise Invalid([Problem("body", what, "or give the webhook a `payload` input", "body")])
    wanted = {name: payload.value[name] for name in declared.keys() & payload.value.keys()}
    return (
        {name: _typed(declared[name], value) for name, value in wanted.items()} if payload.is_form else wanted
    )


def _typed(given: Input, value: JsonValue) -> JsonValue:
    """A field of a form, which is always a text, as what the input wants."""
    if given.type in ("string", "datetime") or not isinstance(value, str):
        return value
    try:
        found: JsonValue = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return found
