"""A connection that was saved before its kind had become stricter."""

from pathlib import Path

import pytest

from activities.evaluator import Evaluator
from activities.resolving import open_for
from activities.runtime import Parts
from activities.stages.catalogue import KINDS
from activities.stages.kind import StageError
from cronny.egress_rules import Egress
from cronny.secrets import KeyRing, new_key
from cronny.store.connections import Connections
from cronny.store.database import Database
from cronny.store.migrate import upgrade
from cronny.store.tenants import Tenants
from cronny.vault import seal
from dsl.action import Stage
from tests.activities.samples import NOW, load

STAGE = Stage(id="fetch", uses="http", connection="api")
LOADED = load(
    "{version: 1, name: trial, stages: [{id: fetch, uses: http, connection: api, with: {url: /x}}]}"
)


async def test_a_connection_that_fits_no_more_says_what_to_change(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'cronny.db'}"
    upgrade(url)
    database, ring = Database(url), KeyRing(new_key())
    async with database.write() as session:
        tenant = await Tenants(session).add("acme", NOW)
        connections = Connections(session, tenant.id)
        row = await connections.reserve("api", "http", NOW)
        sealed = seal(ring, row, {"token": "hunter2"})
        await connections.save(row, "http", {"base_url": "example.com", "old": True}, sealed, NOW)
    parts = Parts(database, Evaluator(), ring, KINDS, lambda: NOW, Egress())
    with pytest.raises(StageError) as caught:
        await open_for(parts, tenant.id, KINDS["http"], STAGE, LOADED)
    await database.close()
    assert caught.value.code == "validation"
    assert caught.value.message.startswith("connection 'api'.base_url: must be a web address")
    assert caught.value.message.endswith("; save it again")
    assert "hunter2" not in repr(caught.value)
