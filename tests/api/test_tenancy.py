"""Where the API may look beyond one tenant."""

import ast
from collections.abc import Iterator
from pathlib import Path

import api

# Everybody else says `database.for_tenant(…)` where the database is named.
BEYOND = {
    # Who asks is not known yet: a key, a link or a token is looked up, and the session narrowed after that.
    ("caller.py", "identify"),
    ("approvals.py", "look_at_link"),
    ("approvals.py", "follow_link"),
    ("receiving.py", "receive_call"),
    ("receiving.py", "receive_answer"),
    ("receiving.py", "_authenticated"),
    # What hands the database on to `reading` and its like, which narrow it to the caller's tenant.
    ("caller.py", "read"),
    ("caller.py", "write"),
    ("caller.py", "rehearse"),
    # What puts the server together, or asks whether the database answers. The log of uses, which is among its
    # parts, writes when keys of all tenants were used.
    ("__main__.py", "serve"),
    ("app.py", "create_app"),
    ("readiness.py", "require_servers"),
    ("follow/streams.py", "__init__"),
    ("follow/watch.py", "__init__"),
}
ROOT = Path(next(iter(api.__path__)))


def _mentions(text: str) -> Iterator[str]:
    """The function of every mention of a database that is not narrowed on the spot."""
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.AsyncFunctionDef | ast.FunctionDef):
            continue
        narrowed = {id(node.value) for node in ast.walk(function) if _is_narrowing(node)}  # type: ignore[attr-defined]  # it is an attribute
        if any(_is_database(node) and id(node) not in narrowed for node in ast.walk(function)):
            yield function.name


def _is_narrowing(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "for_tenant"


def _is_database(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(attr=name, ctx=ast.Load()) | ast.Name(id=name, ctx=ast.Load()):
            return name.strip("_") == "database"
    return False


def test_only_these_look_beyond_a_tenant() -> None:
    files = sorted(ROOT.rglob("*.py"))
    found = {(str(path.relative_to(ROOT)), name) for path in files for name in _mentions(path.read_text())}
    assert found == BEYOND


def test_a_database_that_is_not_narrowed_is_found() -> None:
    wide = "async def show(caller):\n    async with caller.parts.database.read() as session: ..."
    assert list(_mentions(wide)) == ["show"]
    assert list(_mentions(wide.replace("database", "database.for_tenant(caller.tenant.id)"))) == []
