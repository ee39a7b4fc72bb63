"""Phrases and the fields they stand for: `phrase => JSON` and `phrase => column: where: what; hint`."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from pydantic import JsonValue, ValidationError

from dsl.describe import describe
from dsl.schedule import Schedule, read_schedule


def table(name: str) -> Iterator[ParameterSet]:
    for line in (Path(__file__).parent / "cases" / name).read_text().splitlines():
        phrase, _, expected = line.partition("  =>  ")
        yield pytest.param(phrase, expected, id=phrase)


def schedule_of(value: JsonValue) -> Schedule:
    schedule, problems = read_schedule(value)
    assert schedule is not None, problems
    return schedule


def fields_of(value: JsonValue) -> JsonValue:
    fields: JsonValue = schedule_of(value).model_dump(mode="json", exclude_defaults=True)
    return fields


@pytest.mark.parametrize(("phrase", "expected"), list(table("phrases")))
def test_a_phrase_stands_for_fields(phrase: str, expected: str) -> None:
    assert fields_of(phrase) == json.loads(expected)


@pytest.mark.parametrize(("phrase", "expected"), list(table("phrases")))
def test_the_fields_of_a_phrase_and_its_description_read_back(phrase: str, expected: str) -> None:
    schedule = schedule_of(phrase)
    assert [schedule_of(describe(schedule)), schedule_of(json.loads(expected))] == [schedule, schedule]


@pytest.mark.parametrize(("phrase", "expected"), list(table("wrong_phrases")))
def test_a_wrong_phrase_is_told_at_its_word(phrase: str, expected: str) -> None:
    _, (problem,) = read_schedule(phrase)
    hint = f"; {problem.hint}" if problem.hint else ""
    assert f"{problem.column}: {problem.where}: {problem.what}{hint}" == expected


@pytest.mark.parametrize(
    "phrase", ["  every   day  at 09:00  ", "EVERY DAY AT 09:00", "every\tday\nat 09:00"]
)
def test_space_and_case_mean_nothing(phrase: str) -> None:
    assert fields_of(phrase) == {"every": "day", "at": "09:00"}


@pytest.mark.parametrize(
    ("phrase", "column", "what"),
    [
        ("", 1, "there is no rule"),
        ("every day\x00", 7, r"no unit of time 'day\x00'"),
        ("every day" + " " * 100_000 + "x", 100_001, "more than 100000 characters"),
        ("every \U0001f600", 7, "no unit of time '\U0001f600'"),
        ("every day at \u0660\u0669:00", 14, "'\u0660\u0669:00' is not a time of day"),
    ],
)
def test_strange_texts_are_refused(phrase: str, column: int, what: str) -> None:
    _, (problem,) = read_schedule(phrase)
    assert (problem.column, problem.what) == (column, what)


FIELDS: list[tuple[JsonValue, str]] = [
    (
        {"every": "week", "on": "monday", "at": "09:00", "timezone": "Europe/London"},
        "every week on monday at 09:00 Europe/London",
    ),
    (
        {"every": "week", "on": ["mon", "thursday"], "at": ["9am", "17:30"]},
        "every week on monday and thursday at 09:00 and 17:30",
    ),
    (
        {"every": "5m", "start": "2026-12-01", "end": "2026-12-31T12:00"},
        "every 5 minutes starting 2026-12-01 until 2026-12-31T12:00",
    ),
    ({"every": "5 minutes"}, "every 5 minutes"),
    ({"every": "month", "on": 1}, "every month on the 1st at 00:00"),
    ({"every": "month", "on": "the last friday", "at": 9}, "every month on the last friday at 09:00"),
    ({"every": "year", "on": "24 December"}, "every year on 24 december at 00:00"),
    ({"every": "2 weeks on friday"}, "every 2 weeks on friday at 00:00"),
    ({"at": "2026-12-24 18:00", "timezone": "europe/london"}, "2026-12-24 18:00 Europe/London"),
    ({"at": "2026-12-24T18:00:00+01:00"}, "2026-12-24T17:00:00Z"),
    ({"at": "in 10 minutes"}, "in 10 minutes"),
    ({"on": "mondays"}, "every week on monday at 00:00"),
]


@pytest.mark.parametrize(("given_fields", "phrase"), FIELDS)
def test_fields_mean_the_same_as_a_phrase(given_fields: JsonValue, phrase: str) -> None:
    assert describe(schedule_of(given_fields)) == phrase


def test_options_stand_beside_the_rule() -> None:
    options: dict[str, JsonValue] = {
        "id": "a",
        "dst_gap": "skip",
        "dst_overlap": "both",
        "catchup": "last",
        "paused": True,
    }
    fields: JsonValue = {"every": "5m", "inputs": {"n": 1}, **options}
    assert fields_of(fields) == fields


@pytest.mark.parametrize(
    ("phrase", "kind"),
    [
        ("2026-12-24", "once"),
        ("in 5 minutes", "delay"),
        ("every 5 minutes", "interval"),
        ("daily", "calendar"),
        ("@daily", "cron"),
        ("every hour between 9 and 17", "calendar"),
        ("2026-12-24 and 2026-12-25", "once"),
        ("2026-12-24; in 5 minutes", "several"),
    ],
)
def test_a_rule_is_of_one_kind(phrase: str, kind: str) -> None:
    assert schedule_of(phrase).kind == kind


def test_the_model_refuses_what_the_reader_refuses() -> None:
    with pytest.raises(ValidationError, match="every: no unit of time 'minuts'"):
        Schedule.model_validate("every 5 minuts")


def test_all_problems_of_the_fields_are_found() -> None:
    wrong: JsonValue = {"every": "wek", "on": ["monday", "tusday"], "at": "25:00", "timezone": "X", "zz": 1}
    _, problems = read_schedule(wrong)
    assert sorted(problem.where for problem in problems) == ["at", "every", "on.1", "timezone", "zz"]
