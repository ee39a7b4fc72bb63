"""The JSON Schema takes what the checker takes, and refuses what looks wrong by itself."""

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs
import pytest
import yaml
from pydantic import JsonValue

from activities.schema import language_schema
from activities.stages.catalogue import KINDS
from dsl.document import read_document
from dsl.fields import FIELDS
from tests.dsl.actions import ALERT, IMPORT, SET, complaints, with_head, with_stages

SCHEMA = language_schema(KINDS)
VALIDATOR = jsonschema_rs.Draft7Validator(SCHEMA)


def value_of(text: str) -> JsonValue:
    document, problems = read_document(text)
    assert document is not None, problems
    return document.value


def stage(fields: str) -> str:
    return with_stages(f"{{id: s, {fields}}}")


def described(schema: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, str]]:
    """Each field of a schema and what it says of it."""
    for name, field in schema.get("properties", {}).items():
        yield f"{place}.{name}", field.get("description", "")
        yield from described(field, f"{place}.{name}")


@pytest.mark.parametrize(
    "text",
    [
        ALERT,
        IMPORT,
        with_head("schedule: {every: day, at: [9, '17:30'], catchup: {mode: last, cap: 3}}"),
        with_head("schedule: {rules: [every day at 9, {every: week, on: friday}], exclude: 24 december}"),
        with_head("schedules: [{id: a, every: hour}, {id: b, cron: '0 9 * * *', calendars: {only: uk}}]"),
        with_head("defaults: {retry: false, timeout: 1h 20m}"),
        with_head("inputs: {n: {type: integer, enum: [1, 2], default: 1}}"),
        stage("uses: set, when: true, with: {values: {}}"),
        stage("uses: http, with: {url: x, method: get}"),
        stage("uses: http, with: {url: x, method: '${{ trigger.action }}', max_bytes: '${{ 1 + 1 }}'}"),
        stage("uses: http, with: {url: x, headers: '${{ {\"a\": \"b\"} }}', json: [1, {a: '${{ 1 }}'}]}"),
        stage("uses: http, with: {url: x, multipart: {f: {filename: a, text: '${{ trigger.id }}'}}}"),
        stage("uses: http, with: {url: x, expect_status: [200, 2xx]}, retry: {on: [timeout, sql.deadlock]}"),
        stage("uses: postgres, connection: orders_db, with: {sql: select 1, rows: '${{ [[1]] }}'}"),
    ],
)
def test_what_the_checker_takes_the_schema_takes(text: str) -> None:
    assert complaints(text) == []
    assert [error.message for error in VALIDATOR.iter_errors(value_of(text))] == []


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("version: 1\nname: trial\n", []),
        ("version: 2\nname: trial\nstages: [" + SET + "]\n", ["version"]),
        ("name: Trial\nstages: [" + SET + "]\n", ["name"]),
        ("name: trial\nstages: []\n", ["stages"]),
        (with_head("zzz: 1"), []),
        (with_head("timeout: 5"), ["timeout"]),
        (with_head("labels: {a: 1}"), ["labels", "a"]),
        (with_head("inputs: {n: {type: text}}"), ["inputs", "n", "type"]),
        (with_head("inputs: {for: {}}"), ["inputs"]),
        (with_head("schedule: {evry: day}"), ["schedule"]),
        (with_head("schedules: [{every: day}]"), ["schedules", 0]),
        (with_head("schedule: {every: day, overlap: never}"), ["schedule"]),
        (with_head("connectors: [{from: first, to: first, on: sucess}]"), ["connectors", 0, "on"]),
        (with_head("connectors: [{from: first}]"), ["connectors", 0]),
        (stage("uses: htp"), ["stages", 0, "uses"]),
        (stage("uses: http"), ["stages", 0]),
        (stage("uses: http, with: {}"), ["stages", 0, "with"]),
        (stage("uses: http, with: {url: x, zzz: 1}"), ["stages", 0, "with"]),
        (stage("uses: http, with: {url: x, max_bytes: -1}"), ["stages", 0, "with", "max_bytes"]),
        (stage("uses: http, with: {url: x, method: GOT}"), ["stages", 0, "with", "method"]),
        (stage("uses: http, with: {url: x, headers: [a]}"), ["stages", 0, "with", "headers"]),
        (stage("uses: set, with: {values: 1}"), ["stages", 0, "with", "values"]),
        (stage("uses: set, with: {values: {}}, retry: true"), ["stages", 0, "retry"]),
        (stage("uses: set, with: {values: {}}, retry: {on: [time]}"), ["stages", 0, "retry"]),
        (stage("uses: set, with: {values: {}}, connection: orders_db"), ["stages", 0, "connection"]),
        (stage("uses: slack, with: {text: a}"), ["stages", 0]),
        (
            stage("uses: postgres, connection: orders_db, with: {sql: 'select ${{ 1 }}'}"),
            ["stages", 0, "with", "sql"],
        ),
    ],
)
def test_a_wrong_action_is_refused_where_it_is_wrong(text: str, where: list[str | int]) -> None:
    assert complaints(text) != []
    assert [error.instance_path for error in VALIDATOR.iter_errors(value_of(text))] == [where]


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_a_kind_fits_the_schema(kind: str) -> None:
    action = {"version": 1, "name": "example", "stages": [yaml.safe_load(KINDS[kind].example)]}
    VALIDATOR.validate(action)


def test_every_field_is_described_for_editors() -> None:
    whole = {"": SCHEMA, **SCHEMA["definitions"]}
    fields = [pair for name, part in whole.items() for pair in described(part, name)]
    assert [name for name, about in fields if not about] == []


def test_every_reference_leads_to_a_definition() -> None:
    jsonschema_rs.meta.validate(SCHEMA)
    used = {part for part in str(SCHEMA).split("'") if part.startswith("#/definitions/")}
    assert used - {f"#/definitions/{name}" for name in SCHEMA["definitions"]} == set()


def test_a_schedule_has_the_fields_that_the_reader_knows() -> None:
    assert set(SCHEMA["definitions"]["Schedule"]["properties"]) == set(FIELDS)


def test_the_schema_says_what_each_kind_does() -> None:
    uses = SCHEMA["definitions"]["Stage"]["properties"]["uses"]
    summaries = [kind.summary for kind in KINDS.values()]
    assert (uses["enum"], uses["enumDescriptions"]) == (list(KINDS), summaries)
