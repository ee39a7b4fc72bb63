"""Every code of a problem is documented, and has an example that has it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import dsl
from dsl.codes import CODES
from tools.docs.problems import example_problems

MODULES = sorted(Path(dsl.__file__).parent.rglob("*.py"))
CALLS = {"Problem": 3, "Fault": 3, "add": 3, "add_inside": 4}  # where they take the code, unless by name


def codes_in(module: Path) -> Iterator[str]:
    """The codes that are written out in a module."""
    for node in ast.walk(ast.parse(module.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        by_name = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        at = CALLS.get(name, len(node.args))
        for value in [*by_name, *node.args[at : at + 1]]:
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_every_code_of_a_problem_is_documented(module: Path) -> None:
    assert set(codes_in(module)) <= CODES.keys()


@pytest.mark.parametrize("code", CODES)
def test_the_example_of_a_code_has_such_a_problem(code: str) -> None:
    assert code in {problem.code for problem in example_problems(code)}


def test_codes_are_found_in_modules() -> None:
    assert {code for module in MODULES for code in codes_in(module)} >= {
        "duplicate",
        "unknown_stage",
        "syntax",
    }
