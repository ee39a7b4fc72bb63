import pytest
from pydantic import JsonValue

from dsl.references import references, stages_used, variables_used
from dsl.scopes import SITUATIONS, nested, scope_of
from dsl.templates import Expression, Literal, TemplateError, expressions_in, parse_template, whole_expression
from tests.dsl.actions import ALERT, action_of


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("a.b.c + d", ["a.b.c", "d"]),
        ("a['b'].c[0].d[x]", ["a.b.c[0].d", "x"]),
        ("size(a.b)", ["a.b"]),
        ("a.b.size()", ["a.b"]),
        ("'a.b' + \"c\" + r'd' + '''e''' // f", []),
        ("{'k': a, b: c}", ["a", "b", "c"]),
        ("xs.map(x, x.y + z)", ["xs", "z"]),
        ("x.map(x, x.y) + x.z", ["x", "x.z"]),
        ("[1].map(x, [2].map(y, x + y + z))", ["z"]),
        ("cel.bind(t, a.b, t + t)", ["cel", "a.b"]),
        ("has(a.b) && a.?c.d", ["a.b", "a"]),
        ("1.5e3 + 0x1F + 2u", []),
        ("a.in", ["a.in"]),
        ("((", []),
    ],
)
def test_the_names_of_an_expression_are_found(expression: str, names: list[str]) -> None:
    assert [str(reference) for reference in references(expression)] == names


def test_each_part_of_a_name_has_its_offset() -> None:
    (reference,) = references("  stages.fetch['output']")
    assert (reference.parts, reference.offsets) == (("stages", "fetch", "output"), (2, 9, 15))


def test_has_is_told_apart() -> None:
    assert [reference.is_tested for reference in references("has(a.b) && c.d && has(e.f[0].g())")] == [
        True,
        False,
        False,
    ]


def test_the_stages_that_expressions_use_are_found() -> None:
    assert stages_used(["stages.a.output + stages['b'].status", "input.stages.c", "stages"]) == {"a", "b"}


def test_the_variables_are_the_longest_known_names() -> None:
    found = variables_used(
        references("stages.a.output.x + input.y + nope"), {"stages.a.output": 1, "input": 2}
    )
    assert found == {"stages.a.output": 1, "input": 2}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [Literal("")]),
        ("${{ a }}", [Expression("a", 4)]),
        ("x ${{a}} y", [Literal("x "), Expression("a", 5), Literal(" y")]),
        ("${{ '}}' }}", [Expression("'}}'", 4)]),
        ("${{ {'a': {}} }}", [Expression("{'a': {}}", 4)]),
        ("${{ {'a': {}}}}", [Expression("{'a': {}}", 4)]),
        ("$${{ a }}", [Literal("${{ a }}")]),
        ("${{ { }} ${{ 1 }}", [Expression("{", 4), Literal(" "), Expression("1", 13)]),
    ],
)
def test_a_text_is_cut_into_its_expressions(text: str, parts: list[object]) -> None:
    assert parse_template(text) == parts


def test_an_open_expression_is_told_where_it_begins() -> None:
    with pytest.raises(TemplateError) as raised:
        parse_template("ab ${{ 1")
    assert raised.value.offset == 3


@pytest.mark.parametrize(("text", "is_whole"), [("${{ 1 }}", True), ("${{ 1 }} ", False), ("x", False)])
def test_a_text_may_be_one_expression(text: str, is_whole: bool) -> None:
    assert (whole_expression(text) is not None) is is_whole


def test_expressions_are_found_in_depth() -> None:
    value: JsonValue = {"a": ["x", "${{ b }}"], "${{ k }}": {"c": "y ${{ d }}"}}
    assert list(expressions_in(value)) == [(("a", 1), "b", 4), (("${{ k }}", "c"), "d", 6)]


def test_a_scope_gives_inputs_their_types() -> None:
    types = scope_of(action_of(ALERT), "with").types
    assert [types[name] for name in ("inputs.region", "stages.fetch.attempts", "input")] == [
        "string",
        "int",
        "dyn",
    ]


def test_each_place_has_its_own_names() -> None:
    extra = {
        place: sorted(n for n in scope_of(action_of(ALERT), place).types if "." not in n)
        for place in SITUATIONS
    }
    assert extra == {
        "with": ["input"],
        "when": ["input"],
        "output": ["input", "output"],
        "retry": ["attempt", "error", "input"],
        "connector": ["attempt", "error", "input", "output"],
        "outputs": [],
        "concurrency": [],
    }


def test_dotted_names_become_maps() -> None:
    assert nested({"a.b": 1, "a.c.d": 2, "e": 3}) == {"a": {"b": 1, "c": {"d": 2}}, "e": 3}
