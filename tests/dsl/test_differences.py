"""What two versions of an action have otherwise."""

import pytest

from dsl.differences import Difference, differences
from tests.dsl.actions import action_of

LINEAR = """\
version: 1
name: trial
inputs: {region: {default: eu}}
schedule: every day at 09:00
stages:
  - {id: a, uses: set, with: {values: {x: 1, y: 2}}}
  - {id: b, uses: set, with: {values: {x: 1}}}
outputs: {x: "${{ stages.a.output.x }}"}
"""
A, B = LINEAR.splitlines()[5:7]


def found(before: str, after: str) -> list[Difference]:
    models = [action_of(text).model_dump(mode="json") for text in (before, after)]
    return list(differences(*models))


def brief(before: str, after: str) -> list[str]:
    return [
        f"{one.change} {one.part} {one.name} {','.join(field.field for field in one.fields)}".strip()
        for one in found(before, after)
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("x: 1, y: 2", "x: 3", ["changed stage a with.values.x,with.values.y"]),
        ("x: 1, y: 2", "x: 1.0, y: 2", ["changed stage a with.values.x"]),
        (f"{B}\n", f"{B}\n  - {{id: c, uses: set, with: {{values: {{}}}}}}\n", ["added stage c"]),
        (f"{B}\n", "", ["removed stage b"]),
        (f"{A}\n{B}", f"{B}\n{A}", ["changed action order stages"]),
        ("default: eu", "default: us", ["changed input region default"]),
        ("{region: {default: eu}}", "{place: {}}", ["removed input region", "added input place"]),
        ("at 09:00", "at 10:00", ["changed schedule schedule"]),
        (
            "schedule: every day at 09:00",
            "schedules: [{id: one, every: day}]",
            ["removed schedule schedule", "added schedule one"],
        ),
        ("output.x", "output.y", ["changed output x"]),
        ("outputs:", "connectors: [{from: a, to: b}]\noutputs:", []),
        (
            "outputs:",
            "connectors: [{from: a, to: b, when: true}, {from: a, to: b, on: error}]\noutputs:",
            ["changed connector a -> b when", "added connector a -> b on error"],
        ),
        (
            "name: trial",
            "name: trial\ntimeout: 5m\nlabels: {team: web}",
            ["changed action labels team", "changed action timeout"],
        ),
        ("name: trial", "name: trial # with a remark", []),
    ],
)
def test_the_parts_that_differ_are_named(old: str, new: str, expected: list[str]) -> None:
    assert brief(LINEAR, LINEAR.replace(old, new)) == expected


def test_a_field_has_both_its_values() -> None:
    (one,) = found(LINEAR, LINEAR.replace("x: 1, y: 2", "x: 1, y: [2]"))
    assert [(field.before, field.after) for field in one.fields] == [(2, [2])]


def test_two_connectors_between_the_same_stages_are_told_apart() -> None:
    edges = "connectors: [{from: a, to: b, label: one}, {from: a, to: b, label: two}]\noutputs:"
    before = LINEAR.replace("outputs:", edges)
    assert brief(before, before.replace("label: two", "label: three")) == [
        "changed connector a -> b (2) label"
    ]


@pytest.mark.parametrize("model", [None, [], "x"])
def test_what_cannot_be_read_has_no_differences(model: object) -> None:
    assert list(differences(model, {"stages": []})) == []  # type: ignore[arg-type]  # whatever is stored
