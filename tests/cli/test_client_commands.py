"""The client commands against a running instance."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import Ran
from tests.cli.running import Place

Ask = Callable[..., Ran]
CANARY = "xoxb-canary-4711"


@pytest.fixture
def schedule(ask: Ask, tmp_path: Path) -> str:
    """A schedule of its own that does not fire during the tests."""
    file = tmp_path / "yearly.yaml"
    stages = "[{id: a, uses: set, with: {values: {x: 1}}}]"
    file.write_text(
        f'version: 1\nname: yearly\nschedule: "every year on the 1st of june"\nstages: {stages}\n'
    )
    assert ask("apply", "-f", file).code == 0
    return "yearly"


def test_actions_are_listed(ask: Ask) -> None:
    lines = ask("actions", "list").out.splitlines()
    assert lines[0].split() == ["name", "version", "updated"]
    assert {"check_api", "greet"} <= {line.split()[0] for line in lines[1:]}
    assert {"check_api", "greet"} <= {one["name"] for one in json.loads(ask("actions", "list", "--json").out)}


def test_an_action_is_shown_as_it_was_written(ask: Ask, instance: Place) -> None:
    source = ask("actions", "show", "greet", "--source").out
    assert source.startswith("# Part of the demo")
    assert json.loads(ask("actions", "show", "greet", "--json").out)["source"] == source


def test_an_action_runs_to_its_end(ask: Ask) -> None:
    ran = ask("actions", "run", "greet", "--input", "name=Ada", "--wait", "--json")
    trigger = json.loads(ran.out)
    said = {
        stage["output"]["text"] for stage in trigger["stages"] if stage["id"] != "clock" and stage["output"]
    }
    assert (ran.code, trigger["state"], said <= {"Hello, Ada!", "Good night, Ada!"}) == (0, "completed", True)
    assert said


def test_a_trigger_that_fails_is_code_1(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "sad.yaml"
    file.write_text("version: 1\nname: sad\nstages: [{id: a, uses: fail, with: {message: so it is}}]\n")
    ask("apply", "-f", file)
    ran = ask("actions", "run", "sad", "--wait")
    assert (ran.code, "so it is" in ran.out, "failed" in ran.out) == (1, True, True)


def test_a_trigger_is_shown_and_listed(ask: Ask) -> None:
    trigger = json.loads(ask("actions", "run", "greet", "--wait", "--json").out)["id"]
    assert trigger in ask("triggers", "list", "--action", "greet", "--state", "completed").out
    shown = ask("triggers", "show", trigger).out
    assert [word for word in ("greet v1", "clock", "skipped", "clock gave") if word not in shown] == []


def test_watch_prints_an_object_a_line(ask: Ask) -> None:
    trigger = json.loads(ask("actions", "run", "greet", "--wait", "--json").out)["id"]
    lines = ask("triggers", "watch", "--once", "--json", "--action", "greet").out.splitlines()
    assert {one["id"]: one["state"] for one in map(json.loads, lines)}[trigger] == "completed"


def test_watch_once_prints_a_table(ask: Ask) -> None:
    assert ask("triggers", "watch", "--once").out.split()[:3] == ["id", "action", "schedule"]


def test_a_schedule_is_paused_with_a_note_and_resumed(ask: Ask, schedule: str) -> None:
    paused = ask("schedules", "pause", schedule, "--note", "for lunch").out
    note = ask("schedules", "upcoming", schedule).out.splitlines()[-1]
    resumed = json.loads(ask("schedules", "resume", schedule, "--json").out)
    assert ("for lunch" in paused, note, resumed["paused"]) == (
        True,
        "paused: for lunch; nothing fires before it is resumed",
        False,
    )


@pytest.mark.parametrize("end", ["2h", "2100-01-01T00:00:00Z"])
def test_a_schedule_is_paused_until_an_instant(ask: Ask, schedule: str, end: str) -> None:
    paused = json.loads(ask("schedules", "pause", schedule, "--until", end, "--json").out)
    shown = ask("schedules", "show", schedule).out
    resumed = json.loads(ask("schedules", "resume", schedule, "--catchup", "--json").out)
    assert (paused["paused_until"] > paused["updated"], "until" in shown) == (True, True)
    assert (resumed["paused"], resumed["paused_until"]) == (False, None)


def test_the_next_fires_of_a_schedule_are_listed(ask: Ask, schedule: str) -> None:
    found = json.loads(ask("schedules", "upcoming", schedule, "--count", "2", "--json").out)
    assert [fire["due"][4:] for fire in found["fires"]] == ["-06-01T00:00:00Z"] * 2


def test_a_schedule_is_triggered_by_hand(ask: Ask, schedule: str) -> None:
    ran = ask("schedules", "trigger", schedule, "--wait", "--json")
    trigger = json.loads(ran.out)
    assert (ran.code, trigger["schedule"], trigger["state"]) == (0, schedule, "completed")


def test_a_pause_is_an_event_and_explains_what_will_not_fire(ask: Ask, schedule: str) -> None:
    ask("schedules", "pause", schedule, "--note", "no events today")
    listed = ask("events", "list", "--schedule", schedule, "--kind", "schedule_paused").out
    told = ask("schedules", "why", schedule, "2999-06-01").out
    ask("schedules", "resume", schedule)
    assert ("no events today" in listed, "schedule paused" in listed) == (True, True)
    assert told.startswith("paused by cronny up at ")
    assert told.endswith('"no events today": will not fire before it is resumed\n')


def test_limits_are_listed_beside_their_use(ask: Ask, schedule: str) -> None:
    assert ["running_triggers", "none"] in [line.split()[:2] for line in ask("limits").out.splitlines()]
    found = {one["name"]: one for one in json.loads(ask("limits", "--json").out)}
    assert (found["retention"]["limit"], found["schedules"]["used"] > 0) == ("90d", bool(schedule))


def test_events_and_explanations_are_json_for_programs(ask: Ask, schedule: str) -> None:
    (event,) = json.loads(ask("events", "list", "--schedule", schedule, "--limit", "1", "--json").out)
    told = json.loads(ask("schedules", "why", schedule, "2999-06-01", "--json").out)
    assert (event["schedule"], told["outcome"]) == (schedule, "will_fire")


def test_statistics_are_a_field_a_line(ask: Ask, schedule: str) -> None:
    lines = ask("schedules", "stats", schedule).out.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["schedule", "fires"]
    assert json.loads(ask("schedules", "stats", schedule, "--json").out)["fires"]["failed"] == 0


def test_triggers_are_listed_by_what_became_of_them(ask: Ask) -> None:
    made = json.loads(ask("actions", "run", "greet", "--wait", "--json").out)["id"]
    by_hand, by_rule = (
        ask("triggers", "list", "--action", "greet", "--kind", kind).out for kind in ("manual", "scheduled")
    )
    assert (made in by_hand, made in by_rule) == (True, False)
    assert made not in ask("triggers", "list", "--to", "2026-01-01T00:00:00Z").out


def test_schedules_are_listed_and_shown(ask: Ask, schedule: str) -> None:
    assert "every year on 1 june" in ask("schedules", "list").out.lower()
    assert json.loads(ask("schedules", "show", schedule, "--json").out)["name"] == schedule


def test_a_schedule_written_in_an_action_is_deleted_there(ask: Ask, schedule: str) -> None:
    ran = ask("schedules", "delete", schedule)
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)


def test_a_connection_is_set_from_a_file_and_never_shown(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "slack.yaml"
    file.write_text(f"kind: slack\nsettings: {{token: {CANARY}}}\n")
    written = ask("connections", "set", "team", "-f", file)
    listed, shown = ask("connections", "list"), ask("connections", "list", "--json")
    assert written.out == "team is set: slack, secrets: token\n"
    assert [CANARY in ran.out + ran.err for ran in (written, listed, shown)] == [False] * 3
    assert ask("connections", "delete", "team").out == "team is deleted\n"


def test_a_wrong_connection_is_refused_at_its_place_without_its_secrets(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "slack.yaml"
    file.write_text(f"kind: slack\nsettings:\n  tokn: {CANARY}\n")
    ran = ask("connections", "set", "team", "-f", file)
    assert (ran.code, f"{file}:3:3: settings.tokn: " in ran.out, CANARY in ran.out + ran.err) == (
        1,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("schedules", "show", "nope"), 1, "cronny: there is no schedule 'nope'\n"),
        (("schedules", "show", "No Name"), 1, "cronny: there is nothing of that name\n"),
        (("actions", "run", "greet", "-i", "nme=1"), 1, "cronny: inputs.nme: there is no such input\n"),
        (("actions", "run", "greet", "-i", "nme"), 2, "--input: 'nme' is not NAME=VALUE\n"),
        (("schedules", "pause", "greet", "--until", "lunch"), 1, "until"),
        (("triggers", "show", "trg_0"), 1, "cronny: there is no trigger 'trg_0'\n"),
        (("triggers", "list", "--state", "odd"), 1, "state"),
        (("actions", "list", "--key", "cny_wrong"), 1, "cronny: this API key is not known\n"),
        (("schedules", "why", "nope", "2026-01-01"), 1, "cronny: there is no schedule 'nope'\n"),
        (("schedules", "why", "greet", "soon"), 1, "this is no instant, minute or day"),
        (("events", "list", "--kind", "odd"), 1, "kind"),
        (("connections", "set", "x"), 2, "give either --file, or --kind"),
        (("connections", "set", "x", "--kind", "slack"), 2, "nobody is there to be asked"),
    ],
)
def test_a_refusal_is_one_line(arguments: tuple[str, ...], code: int, said: str, ask: Ask) -> None:
    ran = ask(*arguments)
    assert (ran.code, ran.out, ran.err.count("\n"), said in ran.err) == (code, "", 1, True)


def test_seed_changes_nothing_that_is_as_it_should_be(ask: Ask, instance: Place) -> None:
    key, before = instance.key, ask("actions", "list").out
    assert ask("seed").out == "the demo is loaded: check_api, greet\n"
    assert (instance.key, ask("actions", "list").out) == (key, before)
