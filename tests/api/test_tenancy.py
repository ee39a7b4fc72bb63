"""Where the API may look beyond one tenant."""

import ast
from collections.abc import Iterator
from pathlib import Path

import api

# A request without a key is known by its token, and only then by its tenant; the others are about nobody.
BEYOND = {
    ("caller.py", "identify"),
    ("approvals.py", "look_at_link"),
    ("approvals.py", "follow_link"),
    ("receiving.py", "receive_call"),
    ("receiving.py", "receive_answer"),
    ("receiving.py", "_authenticated"),
    ("follow/watch.py", "_look"),  # one look at the triggers of all readers, each of whom may see its own
}
ROOT = Path(next(iter(api.__path__)))


def _opened() -> Iterator[tuple[str, str]]:
    """The file and the function of every transaction that is not said to be a tenant's."""
    for path in sorted(ROOT.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.AsyncFunctionDef | ast.FunctionDef):
                continue
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and _is_of_all(call):
                    yield str(path.relative_to(ROOT)), function.name


def _is_of_all(call: ast.Call) -> bool:
    of = call.func
    if not isinstance(of, ast.Attribute) or of.attr not in ("read", "write") or call.args:
        return False
    return ast.unparse(of.value).split(".")[-1].strip("_") == "database"


def test_only_these_look_beyond_a_tenant() -> None:
    assert set(_opened()) == BEYOND
