"""What an action takes from its tenant."""

import pytest

from activities.stages.catalogue import KINDS
from dsl.check import check_text
from dsl.outside import Outside, is_outside_name, outside_of, secret_expressions
from tests.dsl.actions import action_of

TEXT = """\
version: 1
name: trial
stages:
  - id: first
    uses: http
    when: vars.MODE == 'on'
    with: {url: "https://${{ vars.HOST }}/${{ secrets.PATH.trim() }}", body: "${{ secrets['PATH'] }}"}
    retry: {unless: vars.STRICT == true}
  - {id: last, uses: http, with: {url: "https://example.com"}}
connectors:
  - {from: first, to: last, when: vars.LATE, map: {a: "${{ [1].map(vars, vars) }}"}}
outputs: {region: "${{ vars.REGION }}"}
"""


def used(text: str) -> Outside:
    return outside_of(action_of(text).model_dump(mode="json"))


def test_every_place_of_an_action_is_looked_at() -> None:
    found = used(TEXT.replace(", body: \"${{ secrets['PATH'] }}\"", ""))
    assert found == Outside(frozenset({"MODE", "HOST", "STRICT", "LATE", "REGION"}), frozenset({"PATH"}))


@pytest.mark.parametrize("model", [None, [], {}, {"stages": 1}, {"stages": [{"with": "${{"}]}])
def test_what_is_no_action_uses_nothing(model: object) -> None:
    assert outside_of(model) == Outside()  # type: ignore[arg-type]  # whatever is stored


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("API_URL", True),
        ("a1", True),
        ("_a", False),
        ("1a", False),
        ("a-b", False),
        ("in", False),
        ("é", False),
    ],
)
def test_names_are_those_that_stand_in_expressions(name: str, is_one: bool) -> None:
    assert is_outside_name(name) is is_one


def test_a_name_has_at_most_63_characters() -> None:
    assert (is_outside_name("a" * 63), is_outside_name("a" * 64)) == (True, False)


def test_the_expressions_with_secrets_are_found() -> None:
    value = {"a": "x ${{ secrets.A }} ${{ inputs.b }}", "c": ["${{ size(secrets.D) }}"]}
    assert secret_expressions(value) == ["secrets.A", "size(secrets.D)"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "problems"),
    [
        (None, []),
        (Outside(frozenset({"HOST"}), frozenset({"KEY"})), []),
        (
            Outside(frozenset({"host", "other"}), frozenset({"KEYS"})),
            [
                "52: there is no variable 'HOST'; did you mean 'host'?",
                "71: there is no secret 'KEY'; did you mean 'KEYS'?",
            ],
        ),
        (
            Outside(),
            [
                "52: there is no variable 'HOST'; set it with `cronny vars set HOST`",
                "71: there is no secret 'KEY'; set it with `cronny secrets set KEY`",
            ],
        ),
    ],
)
def test_unknown_names_are_refused_where_they_stand(known: Outside | None, problems: list[str]) -> None:
    stage = '{id: a, uses: set, with: {values: {x: "${{ vars.HOST }}${{ secrets.KEY }}"}}}'
    text = f"version: 1\nname: trial\nstages:\n\n - {stage}\n"
    checked = check_text(text, KINDS, None, known)
    found = [f"{problem.column}: {problem.what}; {problem.hint}" for problem in checked.problems]
    assert found == problems
