"""That a stage may connect to what its own tenant's rules say, and to nothing else."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from activities.attempt import Prepared, execute, prepare
from activities.evaluator import Evaluator
from activities.log import Log
from activities.masking import Masker
from activities.runtime import Parts
from activities.stages.catalogue import KINDS
from activities.stages.kind import StageError
from activities.work import Work
from cronny.egress_rules import Egress, EgressRules
from cronny.secrets import KeyRing, new_key
from cronny.store.database import Database
from cronny.store.records import TriggerRecords
from cronny.store.tables import TriggerRow
from tests.activities.samples import NOW, fire_for, load
from tests.servers import http
from workflows.messages import StageCall

LOOPBACK = EgressRules(allow=(ip_network("127.0.0.0/8"),))
RULES = Egress(of_tenants={"acme": LOOPBACK})


async def _fetch(folder: Path, url: str, tenant: str) -> object:
    database = Database(f"sqlite+aiosqlite:///{folder / 'cronny.db'}")
    parts = Parts(database, Evaluator(), KeyRing(new_key()), KINDS, lambda: NOW, RULES)
    loaded = load(f"{{version: 1, name: trial, stages: [{{id: fetch, uses: http, with: {{url: '{url}'}}}}]}}")
    row = TriggerRow(
        id="trg_1", tenant_id="ten_1", action_id="act_1", action_version=1, due=NOW, inputs={},
        allocated_at=NOW,
    )  # fmt: skip
    fire = fire_for().model_copy(update={"tenant": tenant})
    call = StageCall(fire=fire, stage_id="fetch", run_id="run")
    work = Work(call, loaded, TriggerRecords(row, {}))
    try:
        prepared = await prepare(parts, work)
        assert isinstance(prepared, Prepared)
        until = NOW + work.stage.timeout
        return await execute(parts, work, prepared, until, Log(Masker(()), lambda: NOW))
    finally:
        await parts.evaluator.close()
        await database.close()


async def test_a_tenants_rules_are_for_its_stages_only(tmp_path: Path) -> None:
    with http.running() as server:
        output = await _fetch(tmp_path, server.url, "acme")
        with pytest.raises(StageError) as caught:
            await _fetch(tmp_path, server.url, "other")
        assert isinstance(output, dict)
        assert (output["status"], caught.value.code) == (404, "egress_denied")
        assert len(server.requests) == 1
