"""What a tenant keeps, on the command line: variables, secrets, keys, versions, connections."""

import fcntl
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cronny.cli.client import Client
from cronny.secrets import new_key
from cronny.store.migrate import upgrade
from tests.cli.command import Ran, run_cronny
from tests.cli.running import Place

Ask = Callable[..., Ran]
CANARY = "canary-cli-77a1"

ACTION = """version: 1
name: {name}
labels: {{owner: {owner}}}
schedule: {rule}
stages: [{{id: a, uses: set, with: {{values: {{x: {value}}}}}}}]
"""


def write(
    folder: Path, name: str, value: str = "1", owner: str = "kept", rule: str = "every day at 09:00"
) -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(ACTION.format(name=name, value=value, owner=owner, rule=rule))
    return file


def test_a_variable_comes_from_standard_input(instance: Place, ask: Ask) -> None:
    assert instance.cronny("vars", "set", "CLI_REGION", stdin="eu west\n").out == "CLI_REGION is set\n"
    assert instance.cronny("vars", "set", "CLI_LIMIT", "--parse", stdin="[1, 2]\n").code == 0
    items = {one["name"]: one["value"] for one in json.loads(ask("vars", "list", "--json").out)}
    assert (items["CLI_REGION"], items["CLI_LIMIT"]) == ("eu west", [1, 2])
    assert "eu west" in ask("vars", "show", "CLI_REGION").out
    assert [ask("vars", "delete", f"CLI_{name}").code for name in ("REGION", "LIMIT")] == [0, 0]


@pytest.mark.parametrize(("value", "told"), [(b"\xff\xfe", "no text in UTF-8"), (b"a: b: c", "<stdin>:1:5")])
def test_a_value_that_cannot_be_read_is_one_line(instance: Place, value: bytes, told: str) -> None:
    env = {"CRONNY_DATA_DIR": str(instance.folder)}
    ran = run_cronny("vars", "set", "CLI_BAD", "--parse", stdin=value, env=env)
    assert (ran.code, told in ran.err, len(ran.err.splitlines())) == (1, True, 1)


def test_a_secret_is_never_shown(instance: Place, ask: Ask) -> None:
    ran = instance.cronny("secrets", "set", "CLI_TOKEN", stdin=f"{CANARY}\n")
    shown = [
        ran,
        ask("secrets", "list"),
        ask("secrets", "show", "CLI_TOKEN"),
        ask("secrets", "list", "--json"),
    ]
    assert [one.code for one in shown] == [0] * 4
    assert [one for one in shown if CANARY in one.out + one.err] == []
    assert ask("secrets", "delete", "CLI_TOKEN").out == "CLI_TOKEN is deleted\n"


def test_what_is_used_is_deleted_by_force_only(instance: Place, ask: Ask, tmp_path: Path) -> None:
    instance.cronny("vars", "set", "CLI_USED", stdin="x")
    ask("apply", "-f", write(tmp_path, "using_var", '"${{ vars.CLI_USED }}"'))
    refused = ask("vars", "delete", "CLI_USED")
    assert (refused.code, "it is used by 'using_var' (stage a)" in refused.err) == (1, True)
    assert ask("vars", "delete", "CLI_USED", "--force").code == 0
    assert ask("actions", "delete", "using_var", "--with-schedules").code == 0


def test_the_versions_of_an_action_are_compared_and_restored(ask: Ask, tmp_path: Path) -> None:
    for value in ("1", "2"):
        ask("apply", "-f", write(tmp_path, "versioned", value))
    listed = json.loads(ask("actions", "versions", "versioned", "--json").out)
    assert [one["version"] for one in listed] == [2, 1]
    shown = ask("actions", "diff", "versioned").out
    assert "~ stage a: with.values.x" in shown
    assert "+stages: [{id: a, uses: set, with: {values: {x: 2}}}]" in shown
    assert "v3" in ask("actions", "rollback", "versioned", "--to", "1", "--note", "wrong value").out
    assert "x: 1" in ask("actions", "versions", "versioned", "--show", "3").out
    assert ask("actions", "delete", "versioned").code == 1
    assert ask("actions", "delete", "versioned", "--with-schedules").code == 0


def test_a_plan_names_parts_and_fires(ask: Ask, tmp_path: Path) -> None:
    ask("apply", "-f", write(tmp_path, "planned"))
    ran = ask("apply", "--dry-run", "-f", write(tmp_path, "planned", "2", rule="every day at 10:00"))
    assert "~ stage a: with.values.x" in ran.out
    assert "~ schedule schedule" in ran.out
    assert "planned would be updated: 90 fires added, 90 removed" in ran.out
    assert ask("actions", "delete", "planned", "--with-schedules").code == 0


def test_files_that_are_gone_are_pruned_by_their_label(ask: Ask, tmp_path: Path) -> None:
    first, second = write(tmp_path, "pruned_a"), write(tmp_path, "pruned_b")
    other = write(tmp_path, "pruned_c", owner="somebody")
    ask("apply", "-f", first, "-f", second, "-f", other)
    second.unlink()
    other.unlink()
    plan = json.loads(ask("apply", "--dry-run", "-f", tmp_path, "--prune", "owner=kept", "--json").out)
    done = json.loads(ask("apply", "-f", tmp_path, "--prune", "owner=kept", "--json").out)
    changes = [[(one["name"], one["change"]) for one in found["applied"]] for found in (plan, done)]
    assert changes == [[("pruned_a", "unchanged"), ("pruned_b", "deleted")]] * 2
    names = {one["name"] for one in json.loads(ask("actions", "list", "--json").out)}
    assert {"pruned_a", "pruned_c"} <= names
    assert "pruned_b" not in names
    for name in ("pruned_a", "pruned_c"):
        ask("actions", "delete", name, "--with-schedules")


def test_nothing_is_pruned_while_a_file_is_wrong_or_nobodys(ask: Ask, tmp_path: Path) -> None:
    ask("apply", "-f", write(tmp_path, "safe"))
    (tmp_path / "safe.yaml").unlink()
    write(tmp_path, "unowned", owner="somebody")
    ran = ask("apply", "-f", tmp_path, "--prune", "owner=kept")
    assert (ran.code, "unowned.yaml:3:9: labels: lacks owner=kept" in ran.out) == (1, True)
    assert ask("actions", "show", "safe").code == 0
    assert ask("apply", "-f", tmp_path, "--prune", "owner").code == 2
    ask("actions", "delete", "safe", "--with-schedules")


def test_a_schedule_that_stands_alone_keeps_its_action_from_pruning(
    instance: Place, ask: Ask, tmp_path: Path
) -> None:
    ask("apply", "-f", write(tmp_path, "needed"))
    client = Client(f"http://127.0.0.1:{instance.port}", instance.key)
    client.put("schedules", "alone", content=b"{action: needed, schedule: every day}")
    (tmp_path / "needed.yaml").unlink()
    write(tmp_path, "fresh")
    ran = ask("apply", "-f", tmp_path, "--prune", "owner=kept")
    assert (ran.code, "schedules trigger it: 'alone'" in ran.out) == (1, True)
    for name in ("needed", "fresh"):
        assert ask("actions", "delete", name, "--with-schedules").code == 0


def test_a_key_is_shown_once_and_acts_until_it_is_revoked(instance: Place, ask: Ask) -> None:
    made = json.loads(ask("keys", "create", "reader", "--role", "viewer", "--expires", "90d", "--json").out)
    assert ask("actions", "list", "--key", made["key"]).code == 0
    refused = instance.cronny("vars", "set", "CLI_X", "--key", made["key"], stdin="x")
    assert (refused.code, "lacks the scope vars:write" in refused.err) == (1, True)
    listed = ask("keys", "list").out
    assert ("reader" in listed, made["key"] in listed) == (True, False)
    assert ask("keys", "revoke", "reader").code == 0
    assert ask("actions", "list", "--key", made["key"]).code == 1


@pytest.mark.parametrize("arguments", [("--role", "root"), ("--role", "viewer", "--expires", "soon")])
def test_a_wrong_key_is_refused(ask: Ask, arguments: tuple[str, ...]) -> None:
    ran = ask("keys", "create", "wrong", *arguments)
    assert (ran.code > 0, ran.out, len(ran.err.splitlines())) == (True, "", 1)


def test_a_connection_is_tested(instance: Place, ask: Ask) -> None:
    settings = "kind: http\nsettings: {base_url: 'http://127.0.0.1:1'}\n"
    instance.cronny("connections", "set", "cli-away", "--file", "-", stdin=settings)
    ran = ask("connections", "test", "cli-away")
    assert (ran.code, ran.out.startswith("cli-away does not work: connection: ")) == (1, True)
    instance.cronny(
        "connections", "set", "cli-here", "--file", "-", stdin=settings.replace(":1'", f":{instance.port}'")
    )
    ran = ask("connections", "test", "cli-here")
    assert (ran.code, ran.out.startswith("cli-here works: 127.0.0.1 answered 404")) == (0, True)
    assert "works" in ask("connections", "list").out
    shown = [ask("connections", "show", f"cli-{name}").out for name in ("away", "here")]
    assert ["fails: connection" in shown[0], "works" in shown[1]] == [True, True]
    assert [ask("connections", "delete", f"cli-{name}").code for name in ("away", "here")] == [0, 0]


def test_keys_that_seal_are_rotated_under_running_processes(instance: Place, ask: Ask) -> None:
    instance.cronny("secrets", "set", "CLI_ROTATED", stdin=CANARY)
    before = json.loads(ask("secrets", "show", "CLI_ROTATED", "--json").out)["sealed_under"]
    assert ask("secrets", "drop-key", before).code == 1
    rotated = json.loads(ask("secrets", "rotate", "--json").out)
    after = json.loads(ask("secrets", "show", "CLI_ROTATED", "--json").out)
    assert (after["sealed_under"], after["readable"], rotated["unreadable"]) == (rotated["key"], True, [])
    states = {one["id"]: one["state"] for one in json.loads(ask("secrets", "sealing-keys", "--json").out)}
    assert states == {rotated["key"]: "seals", before: "can be dropped"}
    assert ask("secrets", "drop-key", before).code == 0
    assert before not in (instance.folder / "secret.key").read_text()
    assert ask("secrets", "delete", "CLI_ROTATED").code == 0


@pytest.fixture
def apart(tmp_path: Path) -> dict[str, str]:
    """The settings of an installation that does not run, with its keys in the environment."""
    url = f"sqlite+aiosqlite:///{tmp_path}/cronny.db"
    upgrade(url)
    return {"CRONNY_DATA_DIR": str(tmp_path), "CRONNY_DATABASE_URL": url, "CRONNY_SECRET_KEYS": new_key()}


@pytest.mark.parametrize(
    ("command", "told"),
    [(("rotate",), "put it last there and restart"), (("drop-key", "k1"), "take it out there")],
)
def test_keys_of_the_environment_are_changed_by_hand(
    apart: dict[str, str], command: tuple[str, ...], told: str
) -> None:
    ran = run_cronny("secrets", *command, env=apart)
    assert (ran.code, told in ran.err, len(ran.err.splitlines())) == (1, True, 1)


def test_two_changes_of_the_keys_at_once_are_refused(apart: dict[str, str]) -> None:
    with Path(apart["CRONNY_DATA_DIR"], "secret.key.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ran = run_cronny("secrets", "rotate", env=apart)
    assert (ran.code, "by another command" in ran.err) == (1, True)


def test_a_rotation_without_keys_says_so(tmp_path: Path) -> None:
    ran = run_cronny("secrets", "rotate", "--data-dir", tmp_path)
    assert (ran.code, "no secret keys" in ran.err, len(ran.err.splitlines())) == (1, True, 1)
