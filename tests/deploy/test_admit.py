import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from cronny import admit, migrate
from cronny.secrets import hash_key
from cronny.settings import Settings
from cronny.store.database import Database
from cronny.store.limits import Limit, limit_of
from cronny.store.tenants import Holder, Tenants

USAGE = f"usage: {admit.USAGE}"


@pytest.fixture
def migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation whose database has its schema."""
    monkeypatch.setenv("CRONNY_DATA_DIR", str(tmp_path))
    assert migrate.main() == 0


async def holder_of(key: str) -> Holder:
    database = Database(Settings().database_url)
    async with database.read() as session:
        holder = await Tenants(session).by_key(hash_key(key))
    await database.close()
    return holder


@pytest.mark.usefixtures("migrated")
def test_each_key_of_an_admitted_tenant_acts_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    codes = [admit.main(["acme"]), admit.main(["acme"])]
    first, second = capsys.readouterr().out.split()
    assert codes == [0, 0]
    assert first != second
    assert {asyncio.run(holder_of(key)).tenant.slug for key in (first, second)} == {"acme"}


@pytest.mark.usefixtures("migrated")
def test_a_key_has_a_name_and_a_tenant_its_retention(capsys: pytest.CaptureFixture[str]) -> None:
    codes = [admit.main(["acme", "--retention", "30d"]), admit.main(["--name", "ada", "acme"])]
    holder = asyncio.run(holder_of(capsys.readouterr().out.split()[1]))
    assert (codes, holder.name, holder.tenant.retention_days) == ([0, 0], "ada", 30)


@pytest.mark.usefixtures("migrated")
def test_limits_are_set_and_taken_away_without_a_further_key(capsys: pytest.CaptureFixture[str]) -> None:
    admit.main(
        ["acme", "--limit", "running_triggers=50", "--limit", "minimum_interval=1m", "--limit", "actions=2"]
    )
    key = capsys.readouterr().out.strip()
    assert admit.main(["--limit", "actions=none", "acme"]) == 0
    tenant = asyncio.run(holder_of(key)).tenant
    assert [limit_of(tenant, limit) for limit in Limit] == [50, None, None, 60, None, None, None]
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("migrated")
def test_bytes_have_units(capsys: pytest.CaptureFixture[str]) -> None:
    admit.main(
        ["acme", "--limit", "input_bytes=64k", "--limit", "kept_bytes=100G", "--limit", "output_bytes=9"]
    )
    tenant = asyncio.run(holder_of(capsys.readouterr().out.strip())).tenant
    found = (tenant.limit_input_bytes, tenant.limit_kept_bytes, tenant.limit_output_bytes)
    assert found == (65536, 100 * 2**30, 9)


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        ([], 2, USAGE),
        (["acme", "globex"], 2, USAGE),
        (["--retention", "soon", "acme"], 2, USAGE),
        (["--retention", "36h", "acme"], 2, USAGE),
        (["--retention", "0d", "acme"], 2, USAGE),
        (["--colour", "red", "acme"], 2, USAGE),
        (
            ["--limit", "colours=3", "acme"],
            2,
            "--limit colours=3: there is no limit 'colours'; the limits are running_triggers, schedules, "
            "actions, minimum_interval, input_bytes, output_bytes, kept_bytes",
        ),
        (
            ["--limit", "schedules=0", "acme"],
            2,
            "--limit schedules=0: must be like schedules=50, 1 at least, or schedules=none",
        ),
        (
            ["--limit", "minimum_interval=1500ms", "acme"],
            2,
            "--limit minimum_interval=1500ms: must be like minimum_interval=30s, 1 at least, or "
            "minimum_interval=none",
        ),
        (["No Name"], 1, "tenant 'No Name': use lower-case letters, digits, '-' and '_', a letter first"),
    ],
)
def test_what_is_no_tenant_is_refused_in_one_line(
    arguments: list[str], code: int, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert admit.main(arguments) == code
    assert capsys.readouterr() == ("", f"cronny: {reason}\n")


@pytest.mark.parametrize("run", [migrate.main, lambda: admit.main(["acme"])], ids=["migrate", "admit"])
def test_a_database_that_is_away_is_said_in_one_line(
    run: Callable[[], int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CRONNY_DATABASE_URL", "postgresql://127.0.0.1:1/none")
    assert run() == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
