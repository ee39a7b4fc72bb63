"""Everything that one tenant owns, within one transaction."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cached_property

from pydantic import JsonValue
from sqlalchemy.ext.asyncio import AsyncSession

from cronny.clock import Clock
from cronny.store.actions import Actions
from cronny.store.approvals import Approvals
from cronny.store.backfills import Backfills
from cronny.store.calendars import Calendars
from cronny.store.catchups import Catchups
from cronny.store.connections import Connections
from cronny.store.database import Database
from cronny.store.events import Events
from cronny.store.fire_changes import FireChanges
from cronny.store.keys import Keys
from cronny.store.limits import Limits
from cronny.store.past import Past
from cronny.store.schedules import Schedules
from cronny.store.secrets import Secrets
from cronny.store.tables import EventKind, ScheduleRow, Tenant
from cronny.store.triggers import Triggers
from cronny.store.variables import Variables
from cronny.store.webhooks import Webhooks


class TenantStore:
    """A tenant's repositories, the instant at which the transaction began, and who acts in it."""

    def __init__(self, session: AsyncSession, tenant: Tenant, now: datetime, actor: str = "") -> None:
        self._session = session
        self.tenant = tenant
        self.now = now
        self.actor = actor

    @cached_property
    def actions(self) -> Actions:
        """The tenant's actions."""
        return Actions(self._session, self.tenant)

    @cached_property
    def schedules(self) -> Schedules:
        """The tenant's schedules."""
        return Schedules(self._session, self.tenant)

    @cached_property
    def triggers(self) -> Triggers:
        """The tenant's ledger."""
        return Triggers(self._session, self.tenant)

    @cached_property
    def fire_changes(self) -> FireChanges:
        """What was asked of single fires."""
        return FireChanges(self._session, self.tenant)

    @cached_property
    def backfills(self) -> Backfills:
        """The tenant's backfills."""
        return Backfills(self._session, self.tenant)

    @cached_property
    def catchups(self) -> Catchups:
        """The fires of the tenant that were missed and may be executed after all."""
        return Catchups(self._session, self.tenant)

    @cached_property
    def approvals(self) -> Approvals:
        """What the tenant's stages want to have approved."""
        return Approvals(self._session, self.tenant)

    @cached_property
    def webhooks(self) -> Webhooks:
        """The tenant's webhooks."""
        return Webhooks(self._session, self.tenant)

    @cached_property
    def connections(self) -> Connections:
        """The tenant's connections."""
        return Connections(self._session, self.tenant.id)

    @cached_property
    def variables(self) -> Variables:
        """The tenant's variables."""
        return Variables(self._session, self.tenant.id)

    @cached_property
    def secrets(self) -> Secrets:
        """The tenant's secrets."""
        return Secrets(self._session, self.tenant.id)

    @cached_property
    def keys(self) -> Keys:
        """The tenant's API keys."""
        return Keys(self._session, self.tenant.id)

    @cached_property
    def calendars(self) -> Calendars:
        """The tenant's calendars."""
        return Calendars(self._session, self.tenant.id)

    @cached_property
    def limits(self) -> Limits:
        """What the tenant may have at the most."""
        return Limits(self._session, self.tenant)

    @cached_property
    def events(self) -> Events:
        """What was done by and for the tenant."""
        return Events(self._session, self.tenant.id)

    @cached_property
    def past(self) -> Past:
        """What has become of the tenant's schedules."""
        return Past(self._session, self.tenant)

    async def note(
        self,
        kind: EventKind,
        schedule: ScheduleRow | None = None,
        *,
        action_id: str | None = None,
        trigger_id: str | None = None,
        note: str = "",
        details: Mapping[str, JsonValue] | None = None,
    ) -> None:
        """Write down what the actor does in this transaction; a schedule brings its action along."""
        await self.events.add(
            kind,
            schedule_id=schedule.id if schedule else None,
            action_id=action_id or (schedule.action_id if schedule else None),
            trigger_id=trigger_id,
            actor=self.actor,
            note=note,
            details=details,
            now=self.now,
        )


@asynccontextmanager
async def reading(database: Database, tenant: Tenant, clock: Clock) -> AsyncIterator[TenantStore]:
    """The tenant's store for reading."""
    async with database.for_tenant(tenant.id).read() as session:
        yield TenantStore(session, tenant, clock())


@asynccontextmanager
async def writing(database: Database, tenant: Tenant, clock: Clock, actor: str) -> AsyncIterator[TenantStore]:
    """The tenant's store in a transaction: committed when the block ends, rolled back when it raises."""
    async with database.for_tenant(tenant.id).write() as session:
        yield TenantStore(session, tenant, clock(), actor)


@asynccontextmanager
async def rehearsing(database: Database, tenant: Tenant, clock: Clock) -> AsyncIterator[TenantStore]:
    """The tenant's store in a transaction that is always rolled back."""
    async with database.for_tenant(tenant.id).write() as session, session.begin_nested() as savepoint:
        yield TenantStore(session, tenant, clock())
        await savepoint.rollback()
