"""The shape of the code, and the import contracts that a list of names cannot state."""

import ast
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median, quantiles

import grimp
import pytest

from activities.stages.catalogue import KINDS

ROOT = Path(__file__).parents[1]
PACKAGES = ("dsl", "workflows", "activities", "api", "cronny")
FOLDERS = (*PACKAGES, "bench", "tools", "tests")
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
DIRECTIVES = ("noqa", "type:", "pragma:")  # comments that say nothing to a reader


@dataclass(frozen=True)
class Source:
    """One module: where it is, its lines and its tree."""

    path: str
    lines: int
    tree: ast.Module


@dataclass(frozen=True)
class Function:
    """One function, from its `def` to its last line."""

    path: str
    name: str
    lines: int


@cache
def sources() -> Sequence[Source]:
    return [_source(path) for path in (ROOT / "worker.py", *_modules()) if path.stat().st_size]


def _modules() -> Iterator[Path]:
    for folder in FOLDERS:
        # A migration is a record of what was done, in order, and is never edited again.
        yield from (path for path in sorted((ROOT / folder).rglob("*.py")) if path.parent.name != "versions")


def _source(path: Path) -> Source:
    text = path.read_text()
    return Source(str(path.relative_to(ROOT)), len(text.splitlines()), ast.parse(text))


@cache
def functions() -> Sequence[Function]:
    return [
        Function(f"{source.path}:{node.lineno}", node.name, (node.end_lineno or 0) - node.lineno + 1)
        for source in sources()
        for node in ast.walk(source.tree)
        if isinstance(node, FUNCTION)
    ]


def product_functions() -> Sequence[Function]:
    return [function for function in functions() if not function.path.startswith("tests/")]


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True)


def test_most_modules_are_short() -> None:
    product = [source for source in sources() if not source.path.startswith("tests/")]
    assert median(source.lines for source in product) <= 120, _longest(product)


def test_no_module_is_long() -> None:
    assert [f"{source.path}: {source.lines} lines" for source in sources() if source.lines > 400] == []


def test_most_functions_are_short() -> None:
    assert median(function.lines for function in product_functions()) <= 8, _longest(product_functions())


def test_few_functions_are_longer_than_a_glance() -> None:
    lengths = [function.lines for function in product_functions()]
    assert quantiles(lengths, n=10)[-1] <= 30, _longest(product_functions())


def test_no_function_is_long() -> None:
    long = [f"{each.path} {each.name}: {each.lines} lines" for each in functions() if each.lines > 60]
    assert long == []


def test_most_tests_are_short() -> None:
    tests = [each for each in functions() if each.path.startswith("tests/") and each.name.startswith("test_")]
    assert median(each.lines for each in tests) <= 12, _longest(tests)


def test_an_import_inside_a_function_says_why() -> None:
    assert [place for source in sources() for place in _unexplained_imports(source)] == []


def test_nothing_imports_itself_through_others() -> None:
    imports = {module: graph().find_modules_directly_imported_by(module) for module in graph().modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' <- '.join(error.args[1])}")


def test_time_knows_only_the_language() -> None:
    imported = {name for module in _within("cronny.scheduling") for name in _imports(module)}
    assert {name for name in imported if not name.startswith(("cronny.scheduling", "dsl"))} == set()


@pytest.mark.parametrize("kind", KINDS)
def test_a_stage_kind_knows_no_other(kind: str) -> None:
    modules = {each.run.__module__ for each in KINDS.values()}
    own = KINDS[kind].run.__module__
    assert graph().find_upstream_modules(own) & (modules - {own}) == set()


def _within(package: str) -> Iterator[str]:
    return (module for module in graph().modules if module == package or module.startswith(f"{package}."))


def _imports(module: str) -> set[str]:
    return graph().find_modules_directly_imported_by(module)


def _longest(items: Sequence[Source] | Sequence[Function]) -> str:
    by_length = sorted(((item.lines, item.path) for item in items), reverse=True)
    return "the longest are " + ", ".join(f"{path} ({lines} lines)" for lines, path in by_length[:10])


def _unexplained_imports(source: Source) -> Iterator[str]:
    comments = _comments(ROOT / source.path)
    for outer in ast.walk(source.tree):
        for node in ast.walk(outer) if isinstance(outer, FUNCTION) else ():
            if isinstance(node, ast.Import | ast.ImportFrom) and not comments & {
                node.lineno,
                node.lineno - 1,
            }:
                yield f"{source.path}:{node.lineno}"


def _comments(path: Path) -> set[int]:
    with path.open("rb") as file:
        return {
            token.start[0]
            for token in tokenize.tokenize(file.readline)
            if token.type == tokenize.COMMENT and not token.string.lstrip("# ").startswith(DIRECTIVES)
        }
