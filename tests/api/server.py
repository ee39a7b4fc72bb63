"""The API on a real database, called without a socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from activities.allocator import Allocator
from activities.evaluator import Evaluator
from activities.runtime import Parts as WorkerParts
from activities.runtime import Runtime
from activities.stages.catalogue import KINDS
from api.app import create_app
from api.parts import Parts
from cronny.egress_rules import Egress
from cronny.secrets import KeyRing, hash_key, new_api_key, new_key
from cronny.settings import Settings
from cronny.store.database import Database
from cronny.store.tables import Tenant
from cronny.store.tenant_store import reading
from cronny.store.tenants import Tenants
from cronny.temporal.connection import connect
from workflows.messages import AllocateCall, ScheduleRef

AWAY = "127.0.0.1:1"  # a port that nothing listens on
MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)

PING = """version: 1
name: ping
inputs:
  region: {type: string, enum: [eu, us], default: eu}
stages:
  - {id: mark, uses: set, with: {values: {region: "${{ inputs.region }}"}}}
"""


@dataclass
class Hands:
    """A clock that stands until it is moved."""

    now: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.now

    def advance(self, span: timedelta) -> None:
        """Move on."""
        self.now += span


@dataclass
class Server:
    """An API, its database and its clock."""

    app: FastAPI
    parts: Parts
    clock: Hands

    async def tenant(self, slug: str) -> AsyncClient:
        """A client with the key of a new tenant."""
        key = new_api_key()
        async with self.parts.database.write() as session:
            tenants = Tenants(session)
            tenant = await tenants.add(slug, self.clock())
            await tenants.add_key(tenant, "test", hash_key(key), self.clock())
        return self.client(key)

    def client(self, key: str | None = None) -> AsyncClient:
        """A client with a key, or with none."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return AsyncClient(transport=ASGITransport(self.app), base_url="http://api", headers=headers)

    async def allocate(self, tenant: str, schedule: str) -> None:
        """What a worker does for a schedule at this instant."""
        database = self.parts.database
        async with database.read() as session:
            owner = await Tenants(session).find(tenant)
        assert isinstance(owner, Tenant)
        async with reading(database, owner, self.clock) as store:
            row = await store.schedules.get(schedule)
        runtime = Runtime(WorkerParts(database, Evaluator(), self.parts.keyring, KINDS, self.clock, Egress()))
        call = AllocateCall(schedule=ScheduleRef(tenant=tenant, schedule_id=row.id))
        await Allocator(runtime).allocate(call)


@asynccontextmanager
async def serving(database_url: str, temporal: str = AWAY) -> AsyncIterator[Server]:
    """A server of its own on a migrated database."""
    clock = Hands()
    parts = Parts(
        database=Database(database_url),
        temporal=await connect(Settings(temporal_address=temporal)),
        keyring=KeyRing(new_key()),
        kinds=KINDS,
        clock=clock,
    )
    app = create_app(parts)
    try:
        async with app.router.lifespan_context(app):
            yield Server(app, parts, clock)
    finally:
        await parts.database.close()
