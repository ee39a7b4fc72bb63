"""New keys for what is sealed: in small batches, resumable, and the old key removable at the end."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from cronny.cli.client_file import write_private
from cronny.errors import Conflict, SettingsError
from cronny.keyring import open_ring, with_new_key, without_key
from cronny.rotation import BATCH, reseal_all
from cronny.secrets import KeyRing, Unsealable, new_key
from cronny.settings import Settings
from cronny.store.actions import Actions
from cronny.store.connections import Connections
from cronny.store.database import Database
from cronny.store.sealed import count_by_key, count_links_by_key
from cronny.store.secrets import Secrets
from cronny.store.tables import Tenant
from cronny.store.tenants import Tenants
from cronny.store.wait_tables import WaitRow
from cronny.store.webhooks import Webhooks
from cronny.vault import seal, seal_secret, seal_signer, unseal, unseal_secret, unseal_signer

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
OLD, NEW = (f"{name}:{new_key().partition(':')[2]}" for name in ("old_1", "new_1"))
MANY = BATCH + 3


class StoppedError(Exception):
    """The process is killed."""


@pytest.fixture
async def tenant(database: Database) -> Tenant:
    """A tenant with a connection and many secrets under the old key."""
    ring = KeyRing(OLD)
    async with database.write() as session:
        tenant = await Tenants(session).add("acme", NOW)
        connections, secrets = Connections(session, tenant.id), Secrets(session, tenant.id)
        row = await connections.reserve("team", "slack", NOW)
        await connections.save(row, "slack", {}, seal(ring, row, {"token": "t"}), NOW)
        for number in range(MANY):
            secret = await secrets.reserve(f"S{number}", NOW)
            await secrets.save(secret, seal_secret(ring, secret, SecretStr(f"value {number}")), NOW)
    return tenant


async def counts(database: Database) -> dict[str, int]:
    async with database.read() as session:
        return dict(await count_by_key(session))


async def values(database: Database, tenant: Tenant, ring: KeyRing) -> Sequence[str]:
    async with database.read() as session:
        secrets = await Secrets(session, tenant.id).all()
        connection = await Connections(session, tenant.id).get("team")
    return [*(unseal_secret(ring, row) for row in secrets), str(unseal(ring, connection)["token"])]


async def test_everything_is_sealed_under_the_newest_key(database: Database, tenant: Tenant) -> None:
    told: list[tuple[int, int]] = []
    found = await reseal_all(database, KeyRing(f"{NEW},{OLD}"), lambda *one: told.append(one))
    assert (found.done, found.unreadable, await counts(database)) == (MANY + 1, (), {"new_1": MANY + 1})
    assert told == [(1, MANY + 1), (1 + BATCH, MANY + 1), *[(MANY + 1, MANY + 1)] * 2]
    opened = await values(database, tenant, KeyRing(NEW))
    assert sorted(opened) == sorted([*(f"value {number}" for number in range(MANY)), "t"])


async def test_a_rotation_that_was_interrupted_goes_on(database: Database, tenant: Tenant) -> None:
    def stop(done: int, total: int) -> None:
        if done > 1:
            raise StoppedError

    ring = KeyRing(f"{NEW},{OLD}")
    with pytest.raises(StoppedError):
        await reseal_all(database, ring, stop)
    assert await counts(database) == {"new_1": 1 + BATCH, "old_1": 3}
    assert len(await values(database, tenant, ring)) == MANY + 1
    assert (await reseal_all(database, ring, lambda *_: None)).done == 3
    assert await counts(database) == {"new_1": MANY + 1}


async def test_what_cannot_be_opened_is_named_and_left(database: Database, tenant: Tenant) -> None:
    assert tenant
    found = await reseal_all(database, KeyRing(NEW), lambda *_: None)
    assert (found.done, len(found.unreadable), await counts(database)) == (0, MANY + 1, {"old_1": MANY + 1})


async def test_a_rotation_changes_no_revision(database: Database, tenant: Tenant) -> None:
    await reseal_all(database, KeyRing(f"{NEW},{OLD}"), lambda *_: None)
    async with database.read() as session:
        rows = await Secrets(session, tenant.id).all()
    assert {(row.revision, row.updated_at) for row in rows} == {(1, NOW)}


def test_the_key_that_seals_cannot_be_dropped() -> None:
    with pytest.raises(Conflict):
        without_key(f"{NEW},{OLD}", "new_1")
    with pytest.raises(SettingsError):
        without_key(NEW, "other")
    assert without_key(f"{NEW}, {OLD}", "old_1") == NEW


def test_a_process_that_runs_finds_a_key_that_is_added(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    write_private(settings.key_file, f"{OLD}\n")
    running = open_ring(settings)
    write_private(settings.key_file, with_new_key(settings.key_file.read_text()))
    fresh = open_ring(settings)
    assert running.open(fresh.seal(b"x", "c"), "c") == b"x"
    assert running.seal(b"x", "c").startswith(f"{fresh.newest}.")


def test_a_key_file_that_is_broken_meanwhile_changes_nothing(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    write_private(settings.key_file, OLD)
    running = open_ring(settings)
    settings.key_file.write_text("nonsense")
    assert running.open(running.seal(b"x", "c"), "c") == b"x"
    with pytest.raises(Unsealable):
        running.open("other.AAAA", "c")


async def test_what_callers_of_a_webhook_sign_with_is_sealed_again(
    database: Database, tenant: Tenant
) -> None:
    ring = KeyRing(f"{NEW},{OLD}")
    async with database.write() as session:
        action, _ = await Actions(session, tenant).save("ping", "", {}, NOW)
        webhooks = Webhooks(session, tenant)
        for name in ("signed", "plain"):
            row = await webhooks.reserve(name, action, f"digest of {name}", NOW)
            sealed = seal_signer(KeyRing(OLD), row, "sixteen letters") if name == "signed" else ""
            await webhooks.save(row, {}, sealed, NOW)
    await reseal_all(database, ring, lambda *_: None)
    async with database.read() as session:
        signed = (await Webhooks(session, tenant).get("signed")).row
    assert unseal_signer(KeyRing(NEW), signed) == "sixteen letters"


async def test_a_key_that_has_signed_a_link_is_in_use_until_the_wait_is_closed(
    database: Database, tenant: Tenant
) -> None:
    def wait(number: int, closed: datetime | None) -> WaitRow:
        return WaitRow(
            id=f"wat_{number}", tenant_id=tenant.id, trigger_id="trg_1", stage_id=f"s{number}", kind="wait",
            key_id="old_1", opened_at=NOW, until=NOW, closed_at=closed, answers=None,
        )  # fmt: skip

    async with database.write() as session:
        session.add_all([wait(1, None), wait(2, NOW)])
        await session.flush()
        assert await count_links_by_key(session) == {"old_1": 1}
