import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from activities.blobs.keeping import ALWAYS, LARGE, WIDEST, Blobs, is_light
from activities.stages.kind import StageError
from cronny.blobs import Folder, Place
from cronny.errors import Unavailable
from cronny.store.blob_tables import BlobRow
from cronny.store.blobs import column_of, larges_of
from cronny.store.columns import json_text
from cronny.store.database import Database
from cronny.store.item_tables import ItemState
from cronny.store.items import Result
from cronny.store.limits import Limit, set_limit
from cronny.store.tables import StageRow, StageState, Tenant, TriggerRow
from cronny.store.tenants import Tenants
from tests.store.samples import NOW

BIG = {"text": "x" * LARGE}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class Broken(Folder):
    """A folder that is away for a while."""

    failures = 0

    async def write(self, place: Place, content: bytes) -> None:
        if Broken.failures > 0:
            Broken.failures -= 1
            raise Unavailable("the disk is full")
        await super().write(place, content)


class Bench:
    """A worker's large values, and the tenant whose they are."""

    def __init__(self, database: Database, tenant: Tenant, folder: Path) -> None:
        self.database, self.tenant, self.folder = database, tenant, folder
        self.blobs = Blobs(database, Broken(folder), lambda: NOW, delays=(0, 0))

    async def keep(self, **values: Any) -> Any:
        return await self.blobs.keep(self.tenant.id, "trg_1", values)

    async def limit(self, limit: Limit, most: int) -> None:
        async with self.database.write() as session:
            await set_limit(session, await session.get_one(Tenant, self.tenant.id), limit, most)

    async def rows(self) -> list[BlobRow]:
        async with self.database.read() as session:
            return list((await session.execute(select(BlobRow))).scalars())

    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


@pytest.fixture
async def bench(database: Database, tmp_path: Path) -> AsyncIterator[Bench]:
    async with database.write() as session:
        tenant = await Tenants(session).add("acme", NOW)
    Broken.failures = 0
    yield Bench(database, tenant, tmp_path / "blobs")
    Broken.failures = 0


def of_size(size: int) -> str:
    """A text whose JSON has so many bytes."""
    return "x" * (size - 2)


@given(VALUES)
def test_what_is_light_is_small_in_json(value: Any) -> None:
    size = len(json_text(value))
    if is_light(value, 100):
        assert size <= 100 * WIDEST
    if size <= 20:
        assert is_light(value, 100)


async def test_a_value_up_to_the_border_stays_in_the_database(bench: Bench) -> None:
    assert await bench.keep(output=of_size(LARGE)) == {}
    assert bench.files() == []


async def test_a_value_beyond_it_is_kept_elsewhere(bench: Bench) -> None:
    kept = await bench.keep(output=of_size(LARGE + 1), input="small")
    assert list(kept) == ["output"]
    assert kept["output"].size == LARGE + 1
    (file,) = bench.files()
    assert json.loads(file.read_bytes()) == of_size(LARGE + 1)


async def test_what_was_kept_can_be_loaded(bench: Bench) -> None:
    value = {"é": ["\ud800", 1.5, None, {"x": "y" * LARGE}]}
    kept = await bench.keep(output=value)
    assert await bench.blobs.load(bench.tenant.id, kept["output"]) == value


async def test_records_get_their_outputs_back(bench: Bench) -> None:
    kept = await bench.keep(output=BIG)
    rows = [
        StageRow(trigger_id="trg_1", stage_id=name, state=StageState.COMPLETED, started_at=NOW, large=large)
        for name, large in (("a", column_of(kept)), ("b", None))
    ]
    await bench.blobs.fill(bench.tenant.id, rows)
    assert [row.output for row in rows] == [BIG, None]


async def test_a_trigger_gives_its_outputs_wherever_they_are(bench: Bench) -> None:
    kept = await bench.keep(outputs=BIG)
    row = TriggerRow(
        id="trg_1", tenant_id=bench.tenant.id, action_id="act_1", action_version=1, due=NOW, inputs={},
        allocated_at=NOW, large=column_of(kept),
    )  # fmt: skip
    assert await bench.blobs.outputs_of(row) == BIG
    row.large, row.outputs = None, [1]
    assert await bench.blobs.outputs_of(row) == [1]


async def test_items_get_their_outputs_back_unless_they_are_too_much(bench: Bench) -> None:
    kept = await bench.keep(output=BIG)
    results = [Result(number, ItemState.COMPLETED, None, None, column_of(kept)) for number in range(3)]
    found = await bench.blobs.filled(bench.tenant.id, results, 3 * (LARGE + 100))
    assert [one.output for one in found] == [BIG] * 3
    with pytest.raises(StageError, match="keep less of each"):
        await bench.blobs.filled(bench.tenant.id, results, 2 * LARGE)


async def test_one_output_may_be_as_large_as_the_limit(bench: Bench) -> None:
    await bench.limit(Limit.OUTPUT_BYTES, 20_000)
    assert await bench.keep(output=of_size(20_000)) == {}
    with pytest.raises(
        StageError, match=r"takes 20001 bytes, .*'output_bytes' is 20000; keep less"
    ) as failure:
        await bench.keep(output=of_size(20_001))
    assert (failure.value.code, failure.value.retryable) == ("too_large", False)


async def test_a_small_output_is_never_too_large(bench: Bench) -> None:
    await bench.limit(Limit.OUTPUT_BYTES, 1)
    assert await bench.keep(output=of_size(ALWAYS)) == {}
    with pytest.raises(StageError):
        await bench.keep(output=of_size(ALWAYS + 1))


async def test_a_tenant_that_keeps_too_much_is_told(bench: Bench) -> None:
    await bench.limit(Limit.KEPT_BYTES, 2 * LARGE)
    await bench.keep(output=BIG)
    with pytest.raises(StageError, match=r"'kept_bytes' is .* are in use; keep less") as failure:
        await bench.keep(output=BIG)
    assert failure.value.code == "too_large"
    assert len(bench.files()) == 1


async def test_a_store_that_comes_back_gets_its_value(bench: Bench) -> None:
    Broken.failures = 2
    kept = await bench.keep(output=BIG)
    assert await bench.blobs.load(bench.tenant.id, kept["output"]) == BIG


async def test_a_store_that_stays_away_fails_the_stage_and_leaves_nothing(bench: Bench) -> None:
    Broken.failures = 3
    with pytest.raises(StageError, match=r"was executed, .* could not be kept: the disk is full") as failure:
        await bench.keep(output=BIG)
    assert (failure.value.code, failure.value.retryable) == ("storage", False)
    assert [row.dropped_at for row in await bench.rows()] == [NOW]


async def test_a_value_that_is_gone_fails_who_needs_it(bench: Bench) -> None:
    kept = await bench.keep(output=BIG)
    bench.files()[0].unlink()
    with pytest.raises(StageError, match="a large value is gone") as failure:
        await bench.blobs.load(bench.tenant.id, kept["output"])
    assert failure.value.code == "storage"
    assert larges_of(column_of(kept)) == kept
