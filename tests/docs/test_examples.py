"""Every example in the documents is what it says."""

import json
import re
from datetime import date, datetime
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from activities.stages.catalogue import KINDS
from cronny.calendars import dates_of, read_calendar
from cronny.cli.exits import Exit
from cronny.scheduling import compile_schedule, upcoming
from dsl.check import check_text
from dsl.describe import describe
from dsl.document import read_document
from dsl.schedule import Schedule, read_schedule
from tests.docs.blocks import Block, blocks, rows
from tools.docs.generated import DOCS

SCHEDULES = DOCS / "schedules.md"
ACTIONS = [
    block
    for path in sorted(DOCS.rglob("*.md"))
    for block in blocks(path)
    if block.language == "yaml" and block.text.startswith("version:")
]
CONNECTIONS = [
    block
    for path in sorted(DOCS.rglob("*.md"))
    for block in blocks(path)
    if block.language == "yaml" and block.text.startswith("kind:")
]
SCHEMA = json.loads((DOCS / "schemas" / "action.v1.json").read_text())
PAGES = [*sorted(DOCS.rglob("*.md")), *sorted(DOCS.parent.glob("*.md"))]
EXAMPLES = sorted((DOCS.parent / "examples").glob("*.yaml"))
CALENDARS = sorted((DOCS / "calendars").iterdir())


def problems(text: str) -> str:
    return "".join(f"{each.render('action.yaml')}\n" for each in check_text(text, KINDS, None).problems)


def fits_the_schema(text: str) -> bool:
    document, _ = read_document(text)
    assert document is not None
    return bool(jsonschema_rs.is_valid(SCHEMA, document.value))


@pytest.mark.parametrize("block", ACTIONS, ids=lambda block: block.place)
def test_an_action_has_the_problems_that_are_shown_and_no_others(block: Block) -> None:
    assert problems(block.text) == block.following


@pytest.mark.parametrize("block", ACTIONS, ids=lambda block: block.place)
def test_an_action_fits_the_schema_unless_it_has_problems(block: Block) -> None:
    assert fits_the_schema(block.text) == (not block.following)


@pytest.mark.parametrize("block", CONNECTIONS, ids=lambda block: block.place)
def test_a_connection_is_taken(block: Block) -> None:
    connection = yaml.safe_load(block.text)
    model = KINDS[connection["kind"]].connection_model
    assert model is not None
    assert model.model_validate(connection["settings"]).model_fields_set == set(connection["settings"])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_has_no_problems(path: Path) -> None:
    assert problems(path.read_text()) == ""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_fits_the_schema_that_it_names(path: Path) -> None:
    named = re.match(r"# yaml-language-server: \$schema=(.+)\n", path.read_text())
    assert named is not None
    assert (path.parent / named[1]).resolve() == DOCS / "schemas" / "action.v1.json"
    assert fits_the_schema(path.read_text())


@pytest.mark.parametrize("path", CALENDARS, ids=lambda path: path.name)
def test_a_calendar_has_dates(path: Path) -> None:
    content, problems = read_calendar(path.read_bytes())
    assert content is not None, problems
    assert any(dates_of(content).between(date(2027, 1, 1), date(2027, 12, 31)))


@pytest.mark.parametrize(("text", "_"), rows(SCHEDULES, "file", "holds")[:2])
def test_a_text_of_a_calendar_is_read(text: str, _: str) -> None:
    assert read_calendar(text.encode())[1] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_a_kind_has_no_problems(kind: str) -> None:
    stage = yaml.safe_load(KINDS[kind].example)
    assert problems(yaml.safe_dump({"version": 1, "name": "example", "stages": [stage]})) == ""


@pytest.mark.parametrize(("phrase", "meaning"), rows(SCHEDULES, "phrase", "is read as"))
def test_a_phrase_is_read_as_it_is_shown(phrase: str, meaning: str) -> None:
    assert describe(Schedule.model_validate(phrase)) == meaning


@pytest.mark.parametrize(("phrase", "answer"), rows(SCHEDULES, "phrase", "answer"))
def test_a_phrase_is_refused_as_it_is_shown(phrase: str, answer: str) -> None:
    _, (problem,) = read_schedule(phrase)
    assert "; ".join(filter(None, (problem.what, problem.hint))) == answer


@pytest.mark.parametrize(("setting", "after", "fires"), rows(SCHEDULES, "setting", "from", "fires"))
def test_a_changed_clock_means_what_is_shown(setting: str, after: str, fires: str) -> None:
    name, value = setting.split(": ")
    rule = {"every": "day", "at": "01:30", "timezone": "Europe/London", name: value}
    start = datetime.fromisoformat(after)
    compiled = compile_schedule(Schedule.model_validate(rule), start)
    local = [compiled.local(due) for due in upcoming(compiled, start, 2)]
    assert [each.isoformat(timespec="minutes") for each in local] == fires.split()


def test_the_exit_codes_are_those_of_cronny_up() -> None:
    shown = [int(code) for code, _ in rows(DOCS / "operations.md", "code", "meaning")]
    assert shown == [code.value for code in Exit]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_link_leads_to_a_file(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []
