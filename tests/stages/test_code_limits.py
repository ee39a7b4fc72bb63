"""The kind `code`: each limit ends the run, with its own code, and nothing else."""

import pytest

from activities.stages.sandbox.job import CUT
from tests.stages.test_code import fault, result

CATCHING = """
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
"""
RECURSING = """
def f():
    return f()
while True:
    try:
        f()
    except RecursionError:
        pass
"""
# An engine may refuse a piece of memory, which the code can catch, or give up.
EITHER = {"code.memory", "code.error"}


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("python", "while True:\n    pass"),
        ("python", CATCHING),
        ("python", RECURSING),
        ("python", "3 ** 30000000"),  # One step of the interpreter, between two looks at its clock.
        ("javascript", "while (true);"),
        ("javascript", "while (true) try { while (true); } finally { continue }"),
        ("javascript", "return /(a+)+$/.test('a'.repeat(40) + 'b')"),
        ("javascript", "setInterval(() => {}, 1000); await new Promise(() => {})"),
        ("javascript", "for (;;) await null"),
        ("javascript", "const f = () => { setTimeout(f); setTimeout(f) }; f(); await new Promise(() => {})"),
        ("typescript", "return await new Promise<number>((go) => setTimeout(go, 60000))"),
    ],
)  # fmt: skip
async def test_code_that_takes_too_long_is_ended(language: str, source: str) -> None:
    error = await fault(language, source, time_limit="200ms")
    # What recurses or piles up timers may meet another of its limits first on a slow machine.
    assert (error.code, error.message) == ("code.timeout", "the code took longer than 0.2 s")


@pytest.mark.parametrize(
    ("language", "source", "codes"),
    [
        ("python", "'x' * (1 << 30)", {"code.memory"}),
        ("python", "x = []\nwhile True:\n    x.append(x)", {"code.memory"}),
        ("python", "x = 'x'\nwhile True:\n    x += x", {"code.memory"}),
        ("python", "2 ** (10 ** 9)", {"code.memory"}),
        ("python", "b'x' * (1 << 40)", {"code.memory"}),
        ("python", "f'{1:>1000000000}'", {"code.memory"}),
        ("python", "list(range(10 ** 9))", {"code.memory"}),
        ("python", "import re\nre.compile('((a{1000}){1000}){1000}')", EITHER),
        ("javascript", "const a = []; while (true) a.push(String(a.length).repeat(1000))", {"code.memory"}),
        ("javascript", "const a = []; while (true) a.push({})", {"code.memory"}),
        ("javascript", "new Array(1e9).fill(0).map((x) => [x])", EITHER),
        ("javascript", "const a = []; while (true) a.push(new Uint8Array(1e7).fill(1))", EITHER),
        ("javascript", "const m = new Map(); while (true) m.set(m.size, 'x')", EITHER),
        ("javascript", "const a = []; while (true) a.push(new Blob(['x'.repeat(1e7)]))", EITHER),
    ],
)  # fmt: skip
async def test_code_that_takes_too_much_memory_is_ended(language: str, source: str, codes: set[str]) -> None:
    error = await fault(language, source, memory_mb=32, time_limit="30s")
    assert (error.code in codes, error.retryable) == (True, False), error


@pytest.mark.parametrize(
    ("language", "source", "text"),
    [
        ("python", "def f(n):\n    return f(n + 1)\nf(0)", "RecursionError"),
        ("javascript", "const f = (n) => f(n + 1); f(0)", "RangeError"),
    ],
)
async def test_recursion_without_end_is_an_error_of_the_code(language: str, source: str, text: str) -> None:
    error = await fault(language, source)
    assert (error.code, text in error.message) == ("code.error", True)


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("python", "'x' * 2000"),
        ("python", "x = [1] * 10\nfor _ in range(6):\n    x = [x] * 10\nx"),
        ("javascript", "return 'x'.repeat(2000)"),
        ("javascript", "return 'x'.repeat(5e6)"),
        ("javascript", "let x = [1]; for (let n = 0; n < 6; n++) x = Array(10).fill(x); return x"),
        ("typescript", "return new Array<string>(500).fill('ä')"),
    ],
)
async def test_a_result_that_is_too_large_is_an_error(language: str, source: str) -> None:
    error = await fault(language, source, max_bytes=1000)
    assert (error.code, error.message) == ("code.output", "the result is larger than 1000 bytes")


@pytest.mark.parametrize("language", ["python", "javascript"])
async def test_a_result_of_just_the_limit_is_a_result(language: str) -> None:
    source = "'x' * 998" if language == "python" else "return 'x'.repeat(998)"
    assert await result(language, source, max_bytes=1000) == "x" * 998


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("python", "for _ in range(5000):\n    print('x' * 99)\n7"),
        ("python", "print('x' * 5000000)\n7"),
        ("javascript", "for (let n = 0; n < 5000; n++) console.log('x'.repeat(99)); return 7"),
        ("javascript", "console.log('x'.repeat(5e6)); console.log('y'); return 7"),
    ],
)
async def test_prints_without_end_are_cut_and_the_result_is_kept(language: str, source: str) -> None:
    log: list[str] = []
    assert await result(language, source, log) == 7
    assert sum(len(line) + 1 for line in log) <= 64 * 1024 + 100
    assert f"{log[-1]}\n" == CUT


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("python", "while True:\n    print('x' * 999)"),
        ("javascript", "while (true) console.log('x'.repeat(999))"),
    ],
)
async def test_prints_before_a_limit_are_kept(language: str, source: str) -> None:
    log: list[str] = []
    with pytest.raises(Exception, match="the code took longer"):
        await result(language, source, log, time_limit="1s")
    assert log[0] == "x" * 999


@pytest.mark.parametrize(
    "source",
    ["(" * 5000, "[" * 900 + "]" * 900, "x" + " + x" * 30_000, "-" * 50_000 + "1", "a." * 30_000 + "b"],
)
@pytest.mark.parametrize("language", ["python", "javascript", "typescript"])
async def test_source_that_is_nested_without_end_harms_nobody(language: str, source: str) -> None:
    with pytest.raises(Exception, match=r"."):
        await result(
            language, f"x = 1\n{source}" if language == "python" else f"let x = 1;\n{source};\nnull.x"
        )
    assert await result(language, "1" if language == "python" else "return 1") == 1
