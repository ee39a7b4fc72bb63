"""A tenant's webhooks, and what was delivered to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import JsonValue
from sqlalchemy import Row, Select, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.errors import NotFound
from cronny.names import new_id
from cronny.store.tables import ActionRow, Tenant
from cronny.store.webhook_tables import Delivery, WebhookRow

REMEMBERED = timedelta(days=1)  # how long a delivery that comes again is answered as before
WINDOW = timedelta(minutes=1)  # of the rate
REFUSALS = timedelta(minutes=1)  # between two that are written down: who is refused must not cost us writes


@dataclass(frozen=True)
class Webhook:
    """A webhook with what it belongs to."""

    row: WebhookRow
    action: ActionRow
    tenant: Tenant


class Webhooks:
    """The webhooks of one tenant."""

    def __init__(self, session: AsyncSession, tenant: Tenant) -> None:
        self._session = session
        self._tenant = tenant

    async def reserve(self, name: str, action: ActionRow, digest: str, now: datetime) -> WebhookRow:
        """The row to fill, locked: the one of that name, or a new one with this token's digest."""
        row = await self._find(name, is_locked=True)
        if row is not None:
            row.action_id = action.id
            return row
        return WebhookRow(
            id=new_id("whk", now), tenant_id=self._tenant.id, name=name, action_id=action.id, digest=digest,
            settings={}, revision=0, created_at=now, updated_at=now,
        )  # fmt: skip

    async def save(self, row: WebhookRow, settings: JsonValue, sealed: str, now: datetime) -> None:
        """Fill a reserved row."""
        row.settings, row.sealed, row.updated_at = settings, sealed, now
        row.revision += 1
        self._session.add(row)
        await self._session.flush()

    async def get(self, name: str, is_locked: bool = False) -> Webhook:
        """The webhook of that name; raises NotFound."""
        row = await self._find(name, is_locked)
        if row is None:
            raise NotFound(f"there is no webhook '{name}'")
        return Webhook(row, await self._session.get_one(ActionRow, row.action_id), self._tenant)

    async def all(self) -> Sequence[Webhook]:
        """Every webhook, by name."""
        query = _webhooks().where(col(WebhookRow.tenant_id) == self._tenant.id)
        found = await self._session.execute(query.order_by(col(WebhookRow.name)))
        return [_webhook(row) for row in found]

    async def rotate(self, row: WebhookRow, digest: str, now: datetime) -> None:
        """Give it another token; the former one is worth nothing from now on."""
        row.digest, row.rotated_at = digest, now
        await self._session.flush()

    async def delete(self, row: WebhookRow) -> None:
        """Forget a webhook and what was delivered to it."""
        await self._session.execute(delete(Delivery).where(col(Delivery.webhook_id) == row.id))
        await self._session.delete(row)

    async def _find(self, name: str, is_locked: bool = False) -> WebhookRow | None:
        query = select(WebhookRow).where(
            col(WebhookRow.tenant_id) == self._tenant.id, col(WebhookRow.name) == name
        )
        return (
            await self._session.execute(query.with_for_update() if is_locked else query)
        ).scalar_one_or_none()


async def find_webhook(session: AsyncSession, digest: str, is_locked: bool = False) -> Webhook:
    """The webhook whose token has this digest; raises NotFound."""
    query = _webhooks().where(col(WebhookRow.digest) == digest)
    if is_locked:
        query = query.with_for_update(of=WebhookRow)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise NotFound("there is nothing here")
    return _webhook(row)


async def find_delivery(session: AsyncSession, row: WebhookRow, key: str, now: datetime) -> Delivery | None:
    """What the same delivery has led to within a day; older ones of the webhook are forgotten."""
    old = delete(Delivery).where(col(Delivery.webhook_id) == row.id, col(Delivery.at) < now - REMEMBERED)
    await session.execute(old)
    return await session.get(Delivery, (row.id, key))


async def recent_deliveries(session: AsyncSession, row: WebhookRow, now: datetime) -> int:
    """How many calls have made triggers within the window of the rate."""
    query = select(func.count()).where(col(Delivery.webhook_id) == row.id, col(Delivery.at) > now - WINDOW)
    return (await session.execute(query)).scalar_one()


async def add_delivery(session: AsyncSession, row: WebhookRow, delivery: Delivery) -> None:
    """Remember a call that has made a trigger."""
    row.used_at = delivery.at
    session.add(delivery)
    await session.flush()


async def note_refusal(session: AsyncSession, row: WebhookRow, why: str, now: datetime) -> None:
    """Write down for the owner why a call was refused, but not too often."""
    await session.execute(
        update(WebhookRow)
        .where(
            col(WebhookRow.id) == row.id,
            or_(col(WebhookRow.refused_at).is_(None), col(WebhookRow.refused_at) < now - REFUSALS),
        )
        .values(refused_at=now, refusal=why)
        .execution_options(synchronize_session=False)
    )


def _webhooks() -> Select[WebhookRow, ActionRow, Tenant]:
    return (
        select(WebhookRow, ActionRow, Tenant)
        .join(ActionRow, col(ActionRow.id) == col(WebhookRow.action_id))
        .join(Tenant, col(Tenant.id) == col(WebhookRow.tenant_id))
    )


def _webhook(row: Row[WebhookRow, ActionRow, Tenant]) -> Webhook:
    return Webhook(row.WebhookRow, row.ActionRow, row.Tenant)
