"""The kind `code`: what comes of source in each language."""

from typing import Any

import pytest
from pydantic import ValidationError

from activities.stages.code import CODE, CodeWith
from activities.stages.kind import StageError
from tests.stages.contexts import brief, details, failure, run

LANGUAGES = ("python", "javascript", "typescript")


async def result(language: str, source: str, log: list[str] | None = None, **fields: object) -> Any:
    return await run(CODE, {"language": language, "source": source, **fields}, log=log)


async def fault(language: str, source: str, **fields: object) -> StageError:
    return await failure(CODE, {"language": language, "source": source, **fields})


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("python", "def main(inputs):\n    return inputs['n'] + 1"),
        ("python", "async def main(inputs):\n    return inputs['n'] + 1"),
        ("python", "n = inputs['n']\nn + 1"),
        ("python", "def main(inputs):\n    return inputs['n'] + 1\n5"),
        ("javascript", "function main(inputs) { return inputs.n + 1 }"),
        ("javascript", "async function main(inputs) { return inputs.n + 1 }"),
        ("javascript", "const main = ({n}) => n + 1;"),
        ("javascript", "return inputs.n + 1"),
        ("javascript", "const n = await inputs.n; return n + 1; // the end"),
        ("javascript", "await new Promise((go) => setTimeout(go, 1)); return inputs.n + 1"),
        ("typescript", "function main(inputs: {n: number}): number { return inputs.n + 1 }"),
        ("typescript", "enum Step { One = 1 }\nconst n: number = inputs.n; return n + Step.One"),
    ],
)
async def test_the_result_is_that_of_main_or_of_the_source(language: str, source: str) -> None:
    assert await result(language, source, inputs={"n": 41}) == 42


@pytest.mark.parametrize(
    ("language", "source"), [("python", "x = 1"), ("javascript", "1"), ("typescript", "1")]
)
async def test_without_a_result_it_is_null(language: str, source: str) -> None:
    assert await result(language, source) is None


@pytest.mark.parametrize("language", LANGUAGES)
async def test_values_go_in_and_out_unchanged(language: str) -> None:
    value = {
        "ä": [1, -2.5, None, True, "x\u2028\n\x00'\"\\", {}, [[]]],
        "big": 2**53 - 1,
        "__proto__": {"a": 1},
    }
    source = "inputs['v']" if language == "python" else "return inputs.v"
    assert await result(language, source, inputs={"v": value}) == value


async def test_dates_and_tuples_of_python_become_json() -> None:
    source = "import datetime\n(datetime.date(2026, 1, 2), {1: datetime.datetime(2026, 1, 2, 3)})"
    assert await result("python", source) == ["2026-01-02", {"1": "2026-01-02T03:00:00"}]


@pytest.mark.parametrize(
    ("language", "source", "lines"),
    [
        ("python", "print('a', 1)\nprint('b', end='')\nprint('c')", ["a 1", "bc"]),
        ("python", "import sys\nprint('e', file=sys.stderr)", ["e"]),
        (
            "javascript",
            "console.log('a', 1, {b: [2]}); console.error('e\\nf')",
            ["a 1 { b: [ 2 ] }", "e", "f"],
        ),
        ("typescript", "console.info('ä' as string)", ["ä"]),
    ],
)
async def test_prints_are_logged_by_lines(language: str, source: str, lines: list[str]) -> None:
    log: list[str] = []
    await result(language, source, log)
    assert log == lines


@pytest.mark.parametrize(
    ("language", "source", "code", "line"),
    [
        ("python", "x = 1\ny = = 2", "code.syntax", 2),
        ("python", "x = 1\ndef f():\n    yield x", "code.syntax", 3),
        ("python", "x = 1\n\nx / 0", "code.error", 3),
        ("python", "def f():\n    return 1 / 0\n\ndef main(inputs):\n    return f()", "code.error", 2),
        ("python", "def main(inputs):\n    raise ValueError('no')", "code.error", 2),
        ("python", "x = 1\neval('(')", "code.error", 2),
        ("javascript", "let x = 1;\nlet y = = 2;", "code.syntax", 2),
        ("javascript", "let x = 1;\nlet x = 2;", "code.syntax", 2),
        ("javascript", "import x from 'y';", "code.syntax", 1),
        ("javascript", "if (true) {", "code.syntax", 1),
        ("javascript", "\n\nnull.x", "code.error", 3),
        ("javascript", "function f() {\n  throw new Error('no')\n}\nf()", "code.error", 2),
        (
            "typescript",
            "const x: number = 1;\ninterface A { b: string }\n\nthrow new Error('no')",
            "code.error",
            4,
        ),
        ("typescript", "const x: = 1", "code.syntax", 1),
    ],
)
async def test_errors_name_the_line_of_the_source(language: str, source: str, code: str, line: int) -> None:
    error = await fault(language, source)
    assert (error.code, details(error), error.retryable) == (code, {"line": line}, False)
    assert error.message.startswith(f"line {line}: ")


@pytest.mark.parametrize(
    ("language", "source", "message"),
    [
        ("python", "raise ValueError('a\\nb')", "line 1: ValueError: a\nb"),
        ("python", "nothing", "line 1: NameError: name 'nothing' is not defined"),
        ("javascript", "throw new RangeError('no')", "line 1: RangeError: no"),
        ("javascript", "throw 'text'", "thrown: text"),
        ("javascript", "throw null", "thrown: null"),
        ("javascript", "Promise.reject(new Error('lost')); await new Promise((go) => setTimeout(go))",
         "line 1: Error: lost"),
        ("javascript", "setTimeout(() => { throw Error('late') }); await new Promise((go) => setTimeout(go))",
         "line 1: Error: late"),
        ("javascript", "await new Promise(() => {})",
         "the code ended without a result: it waits for what never comes, or has left"),
    ],
)  # fmt: skip
async def test_errors_say_what_was_raised(language: str, source: str, message: str) -> None:
    assert brief(await fault(language, source)) == ("code.error", message, False)


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("python", "{1, 2}"),
        ("python", "float('nan')"),
        ("python", "b'x'"),
        ("python", "class A:\n    pass\nA()"),
        ("python", "{(1, 2): 3}"),
        ("python", "x = 0\nfor _ in range(3000):\n    x = [x]\nx"),
        ("python", "10 ** 5000"),
        ("javascript", "return 1n"),
        ("javascript", "const a = {}; a.a = a; return a"),
        ("javascript", "return {toJSON() { throw new Error('no') }}"),
    ],
)
async def test_a_result_that_is_no_json_is_an_error(language: str, source: str) -> None:
    error = await fault(language, source)
    assert (error.code, error.retryable) == ("code.output", False)


@pytest.mark.parametrize(
    ("language", "source"), [("python", "x = = 1"), ("javascript", "x = = 1"), ("typescript", "null.x")]
)
async def test_no_error_shows_where_it_ran(language: str, source: str) -> None:
    message = (await fault(language, source)).message
    ours = ("/tmp", "activities", "site-packages", "blob:", "data:", "python-input", "proc")
    assert [name for name in ours if name in message] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"language": "ruby"},
        {"source": ""},
        {"source": " \n"},
        {"source": "x" * 100_001},
        {"time_limit": "10ms"},
        {"time_limit": "6m"},
        {"time_limit": 5},
        {"memory_mb": 15},
        {"memory_mb": 513},
        {"max_bytes": 16_000_001},
        {"inputs": [1]},
        {"packages": ["requests"]},
    ],
)
def test_fields_that_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CodeWith.model_validate({"language": "python", "source": "1", **fields})
