"""The reference of the codes of problems."""

from collections.abc import Sequence

from activities.stages.catalogue import KINDS
from dsl.check import check_text
from dsl.codes import CODES
from dsl.outside import Outside
from dsl.problems import Problem
from tools.docs.fields import cell

HEAD = """\
<!-- Generated from dsl/codes.py by `make docs`; edit the codes there. -->
# Problems

Whatever is wrong with an action is reported at once, each problem with its place, what it is, what to do,
and a code for programs: `cronny validate` prints them, the API lists them in `problems` of its refusal
(`application/problem+json`) with `where`, `what`, `hint`, `code`, `line` and `column`.

| code | | such as |
|---|---|---|
"""


def problems_page() -> str:
    """`docs/problems.md`."""
    return HEAD + "".join(
        f"| `{name}` | {code.about} | `{cell(_shown(example_of(name)))}` |\n" for name, code in CODES.items()
    )


def example_of(code: str) -> Problem:
    """The problem of the example that has this code."""
    return next(problem for problem in example_problems(code) if problem.code == code)


def example_problems(code: str) -> Sequence[Problem]:
    """The problems of its example, of a tenant who has neither variables nor secrets."""
    return check_text(CODES[code].example, KINDS, None, Outside()).problems


def _shown(problem: Problem) -> str:
    return problem.render("action.yaml").partition(": ")[2]
