"""What a user reads: each file of `cases` holds texts and, below `---`, their problems line by line."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from activities.stages.catalogue import KINDS
from activities.stages.kind import Kind
from dsl.check import MAX_PROBLEMS, check_text
from dsl.problems import Problem, did_you_mean
from tests.dsl.actions import ALERT, IMPORT, SET, checked, complaints, with_head, with_stages


def cases() -> Iterator[ParameterSet]:
    for file in sorted((Path(__file__).parent / "cases").glob("*.txt")):
        for case in file.read_text().split("=== ")[1:]:
            title, _, rest = case.partition("\n")
            text, lines = rest[: rest.index("---\na.yaml:")], rest[rest.index("a.yaml:") :]
            yield pytest.param(text, lines.splitlines(), id=f"{file.stem}: {title}")


@pytest.mark.parametrize(("text", "lines"), list(cases()))
def test_problems_say_where_and_what_and_what_to_do(text: str, lines: list[str]) -> None:
    assert complaints(text) == [line for line in lines if line]


@pytest.mark.parametrize("text", [ALERT, IMPORT])
def test_the_examples_have_no_problems(text: str) -> None:
    assert complaints(text) == []


@pytest.mark.parametrize("text", [ALERT, IMPORT])
def test_lines_may_end_with_a_return_as_well(text: str) -> None:
    broken = text.replace("uses: http", "uses: htp")
    assert complaints(broken.replace("\n", "\r\n")) == complaints(broken) != []


def test_a_byte_order_mark_moves_no_column() -> None:
    assert complaints("\ufeffname: A\nstages: []\n")[0].startswith("a.yaml:1:7: name:")


def test_connections_are_left_unchecked_where_they_are_not_known() -> None:
    stage = "{id: s, uses: slack, connection: anything, with: {text: hi}}"
    assert check_text(with_stages(stage), KINDS, None).problems == ()


def test_problems_are_those_of_the_text_in_order() -> None:
    found = checked(with_head("zzz: 1", "timeout: x", "labels: 3"))
    assert [problem.line for problem in found.problems] == [4, 5, 6]


def test_a_problem_has_a_code_for_programs() -> None:
    found = checked(with_stages("{id: s, uses: dokker}", "{id: t, uses: set, wth: 1}"))
    assert [problem.code for problem in found.problems] == ["unknown_kind", "required", "unknown_field"]


def test_of_very_many_problems_the_first_are_shown() -> None:
    lines = complaints(with_head(*(f"x{number}: 1" for number in range(300))))
    assert len(lines) == MAX_PROBLEMS + 1
    assert lines[-1].endswith("document: and 100 more problems")


def test_the_search_for_problems_ends() -> None:
    lines = complaints(with_head(*(f"x{number}: 1" for number in range(3000))))
    assert lines[-1].endswith("document: and many more problems")


@pytest.mark.parametrize(
    "more",
    [
        "stages: [" + "{id: s, uses: set}, " * 300 + "]",
        "connectors: [" + "{from: s, to: t}, " * 1001 + "]",
    ],
)
def test_too_many_parts_are_one_problem(more: str) -> None:
    head = "version: 1\nname: trial\n" if "stages" in more else with_head()
    assert [problem.what[:17] for problem in checked(head + more).problems] == ["must have at most"]


def test_a_problem_stays_on_one_line() -> None:
    problem = Problem("labels.a\nb", "a \x1b[31m text", "and\u2028 more", line=3, column=4)
    assert problem.render("f") == r"f:3:4: labels.a\nb: a \x1b[31m text; and\u2028 more"


def test_a_problem_moves_below_another_place() -> None:
    moved = Problem("every", "is wrong").moved(3, 4, "schedules.daily")
    assert moved == Problem("schedules.daily.every", "is wrong", line=3, column=4)


@pytest.mark.parametrize(("word", "hint"), [("slakc", "did you mean 'slack'?"), ("zebra", "")])
def test_only_a_close_word_is_suggested(word: str, hint: str) -> None:
    assert did_you_mean(word, ["http", "slack"]) == hint


@pytest.mark.parametrize("value", ["$${{ inputs.x }}", "a } b {", "costs $5", "{{ x }}", "${ x }"])
def test_a_text_without_an_expression_is_a_text(value: str) -> None:
    assert complaints(with_stages(f"{{id: s, uses: set, with: {{values: {{v: '{value}'}}}}}}")) == []


@pytest.mark.parametrize(
    "expression",
    [
        "input.a.b[0].c",
        "has(input.a) ? input.a : 'none'",
        "stages.first.output.a + 1",
        "stages.first.output['a'] == 1 && stages.first.status == 'completed'",
        "stages.first.attempts > 1 || stages.first.error != null",
        "trigger.due - duration('1h')",
        "string(trigger.number) + trigger.id + trigger.action + trigger.schedule",
        "[1, 2].map(input, input * 2)",
        "input.items.filter(output, output.ok).exists(error, error.x == 1)",
        "{'a': {'b': 1}}.a.b",
        "input.for",
        "'a }} b'",
        "math.greatest(1, 2)",
        "input.?a.orValue(1)",
    ],
)
def test_expressions_may_use_what_has_a_value_at_their_place(expression: str) -> None:
    stage = f'id: last\n    uses: set\n    with: {{values: {{v: "${{{{ {expression} }}}}"}}}}'
    assert complaints(with_stages(SET, stage)) == []


@pytest.mark.parametrize(
    "connector",
    [
        "when: output.a == 1 && attempt < 3",
        "on: error, when: error.code == 'timeout', map: {m: '${{ error.message }}'}",
        "on: skipped",
        "on: always, when: true, label: 'in any case'",
        "when: stages.first.output.a == 1, map: {}",
    ],
)
def test_connectors_see_how_their_stage_ended(connector: str) -> None:
    more = f"connectors:\n  - {{from: first, to: last, {connector}}}\n"
    assert complaints(with_stages(SET, "{id: last, uses: set, with: {values: {}}}", more=more)) == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_the_example_of_each_kind_has_no_problems(kind: Kind) -> None:
    example = "".join(f"    {line}\n" for line in kind.example.splitlines()).replace("    ", "  - ", 1)
    connections = {match[1]: kind.name for match in re.finditer(r"connection: (\w+)", example)}
    upstream = "".join(
        f"  - {{id: {name}, uses: set, with: {{values: {{}}}}}}\n"
        for name in sorted(set(re.findall(r"stages\.(\w+)\.", example)))
    )
    text = f"version: 1\nname: trial\nstages:\n{upstream}{example}"
    assert check_text(text, KINDS, connections).problems == ()
