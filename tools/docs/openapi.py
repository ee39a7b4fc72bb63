"""The API's OpenAPI document."""

import asyncio
import json

from activities.stages.catalogue import KINDS
from api.app import create_app
from api.parts import Parts
from cronny.clock import wall_clock
from cronny.secrets import KeyRing, new_key
from cronny.settings import Settings
from cronny.store.database import Database
from cronny.temporal.connection import connect


def openapi() -> str:
    """`docs/openapi.json`; nothing is connected to."""
    return json.dumps(asyncio.run(_describe()), indent=2) + "\n"


async def _describe() -> dict[str, object]:
    database = Database("postgresql+asyncpg://localhost/cronny")
    parts = Parts(database, await connect(Settings()), KeyRing(new_key()), KINDS, wall_clock)
    return create_app(parts).openapi()
