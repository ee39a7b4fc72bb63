import asyncio

import pytest

from cronny.errors import Conflict, NotFound, Unauthorised
from cronny.store.actions import Actions, find_version
from cronny.store.database import Database
from cronny.store.failures import meaning_of
from cronny.store.tables import Tenant
from cronny.store.tenants import Tenants
from tests.store.samples import MINUTE, NOW, SECOND


@pytest.fixture
async def tenant(database: Database) -> Tenant:
    async with database.write() as session:
        return await Tenants(session).add("acme", NOW)


async def save(database: Database, tenant: Tenant, source: str, late: int = 0) -> tuple[int, bool]:
    async with database.write() as session:
        row, is_new = await Actions(session, tenant).save("check", source, {}, NOW + late * SECOND)
        return row.version, is_new


async def test_a_new_text_is_a_new_version_and_the_same_text_none(database: Database, tenant: Tenant) -> None:
    answers = [await save(database, tenant, source) for source in ("a", "a", "b", "a")]
    assert answers == [(1, True), (1, False), (2, True), (3, True)]


async def test_old_versions_stay(database: Database, tenant: Tenant) -> None:
    for source in ("a", "b"):
        await save(database, tenant, source)
    async with database.read() as session:
        actions = Actions(session, tenant)
        row = await actions.get("check")
        newest = await actions.version(row)
        first = await find_version(session, row.id, 1)
        with pytest.raises(NotFound):
            await find_version(session, row.id, 3)
    assert (newest.version, newest.source, first.source) == (2, "b", "a")


async def test_a_version_moves_the_instant_of_the_change(database: Database, tenant: Tenant) -> None:
    for late, source in [(0, "a"), (60, "b"), (90, "b")]:
        await save(database, tenant, source, late)
    async with database.read() as session:
        row = await Actions(session, tenant).get("check")
    assert (row.created_at, row.updated_at) == (NOW, NOW + MINUTE)


async def test_uploads_of_one_action_at_once_make_one_version_each(
    database: Database, tenant: Tenant
) -> None:
    await save(database, tenant, "first")
    answers = await asyncio.gather(*[save(database, tenant, f"text {number}") for number in range(5)])
    assert sorted(answers) == [(version, True) for version in range(2, 7)]


async def test_first_uploads_at_once_leave_one_action(database: Database, tenant: Tenant) -> None:
    uploads = [save(database, tenant, "the text") for _ in range(5)]
    answers = await asyncio.gather(*uploads, return_exceptions=True)
    failures = [meaning_of(answer) for answer in answers if isinstance(answer, Exception)]
    assert {type(failure) for failure in failures} <= {Conflict}
    assert [answer for answer in answers if answer == (1, True)] == [(1, True)]


async def test_a_slug_is_taken_once_and_a_name(database: Database, tenant: Tenant) -> None:
    for slug in ("acme", "Acme", "1st", "", "a" * 64):
        async with database.write() as session:
            with pytest.raises(Conflict):
                await Tenants(session).add(slug, NOW)


async def test_a_key_acts_for_its_tenant_until_it_is_taken_back(database: Database, tenant: Tenant) -> None:
    async with database.write() as session:
        await Tenants(session).add_key(tenant, "ci", "digest", NOW)
        assert (await Tenants(session).by_key("digest")).tenant.slug == "acme"
        await Tenants(session).drop_keys(tenant, "ci")
        with pytest.raises(Unauthorised):
            await Tenants(session).by_key("digest")
