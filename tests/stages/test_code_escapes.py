"""The kind `code`: what code tries in order to get out, and what it gets instead."""

import asyncio
import subprocess
from typing import Any

import pytest

from activities.stages.sandbox.node_modules import NAMES
from activities.stages.sandbox.programs import find_programs
from tests.stages.test_code import fault, result

SECRET = "cronny-test-secret"
FORGERY = 'value"forged"'


@pytest.fixture(autouse=True)
def _with_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRONNY_SECRET_KEYS", SECRET)


@pytest.mark.parametrize(
    "source",
    [
        "open('/etc/passwd').read()",
        "open('/proc/self/environ', 'rb').read()",
        "open('/proc/1/mem', 'rb').read()",
        "open('/tmp/x', 'w').write('x')",
        "import pathlib\npathlib.Path('/etc/passwd').read_text()",
        "import pathlib\nlist(pathlib.Path('/').iterdir())",
        "import os\nos.listdir('/')",
        "import os\nos.environ['CRONNY_SECRET_KEYS']",
        "import os\nos.getenv('CRONNY_SECRET_KEYS')",
        "import os\nos.system('id')",
        "import os\nos.fork()",
        "import os\nos.kill(os.getppid(), 9)",
        "import os\nos._exit(0)",
        "import os\nos.write(1, b'x')",
        *(
            f"import {name}"
            for name in (
                "builtins", "ctypes", "gc", "http.client", "importlib", "inspect", "io", "marshal", "mmap",
                "multiprocessing", "pickle", "posix", "resource", "shutil", "signal", "socket", "ssl",
                "subprocess", "tempfile", "threading", "traceback", "urllib.request", "weakref", "_thread",
                "activities", "cronny",
            )
        ),
        "from os import system",
        "__import__('os')",
        "__builtins__",
        "__loader__",
        "globals()['x']",
        "input()",
        "breakpoint()",
        "compile('1', 'x', 'eval')",
        "().__class__.__mro__",
        "().__class__.__base__.__subclasses__()",
        "type.__subclasses__(object)",
        "object.__subclasses__()",
        "''.__class__",
        "(lambda: 0).__globals__",
        "(lambda: 0).__code__",
        "print.__self__",
        "[].append.__self__",
        "'{0.__class__}'.format(1)",
        "'{0.__init__.__globals__}'.format(print)",
        "f'{print.__globals__}'",
        "getattr((), '__class__').__mro__",
        "getattr(print, '__self__')",
        "try:\n    1 / 0\nexcept Exception as e:\n    e.__traceback__.tb_frame.f_globals",
        "def f():\n    pass\nf.__globals__",
        "class A:\n    pass\nA.__mro__[1].__subclasses__()",
        "import sys\nsys.modules['os']",
        "import sys\nsys._getframe()",
        "import time\ntime.time()",
        "import time\ntime.sleep(0)",
        "import time\ntime.monotonic()",
        "import time\ntime.perf_counter()",
        "import datetime\ndatetime.datetime.now()",
        "import datetime\ndatetime.date.today()",
        "import asyncio\nawait asyncio.sleep(0)",
        "import asyncio\nawait asyncio.open_connection('1.1.1.1', 80)",
        "import asyncio\nawait asyncio.create_subprocess_exec('id')",
    ],
)  # fmt: skip
async def test_python_reaches_nothing(source: str) -> None:
    error = await fault("python", source)
    assert (error.code, SECRET in error.message) == ("code.error", False), error


NO_NODE = "TypeError: there are no modules of Node here"


@pytest.mark.parametrize(
    "source",
    [
        "Deno.readTextFileSync('/etc/passwd')",
        "Deno.env.get('CRONNY_SECRET_KEYS')",
        "new Deno.Command('id').outputSync()",
        "Deno.dlopen('libc.so.6', {})",
        "await fetch('http://127.0.0.1:1')",
        "new WebSocket('ws://127.0.0.1:1')",
        "new EventSource('http://127.0.0.1:1')",
        "new Worker('data:text/javascript,1', {type: 'module'})",
        "new BroadcastChannel('x')",
        "localStorage.setItem('a', 'b')",
        "await caches.open('x')",
        "prompt('x')",
        "close()",
        "process.exit(0)",
        "process.env",
        "require('fs')",
        "new WebAssembly.Memory({initial: 1})",
        "new SharedArrayBuffer(1)",
        "await import('file:///etc/passwd')",
        "await import('/etc/passwd')",
        "await import('https://example.com/x.js')",
        "await import('http://127.0.0.1:1/x.js')",
        "await import('npm:lodash')",
        "await import('jsr:@std/path')",
        "await import('fs')",
        "await import('node:fs?x')",
        "await import('node:%66s')",
        "await import('data:text/javascript,import \"node:fs\"')",
        "await import('data:text/javascript,import \"file:///etc/passwd\"')",
        "await import(URL.createObjectURL(new Blob(['Deno.exit()'], {type: 'text/javascript'})))",
        "new Function('return this.Deno.pid')()",
        "(0, eval)('Deno.pid')",
        "await (async () => {}).constructor('return Deno.pid')()",
        "this.constructor.constructor('return Deno')().pid",
        "globalThis[Symbol.for('Deno.internal')].core",
        "console.log.constructor('return process')().exit()",
        "import.meta.resolve.constructor('return Deno')().pid",
        "Date.now()",
        "new Date()",
        "Date()",
        "new (new Date(0).constructor)()",
        "Reflect.construct(Date, [])",
        "class D extends Date {}; new D()",
        "new Intl.DateTimeFormat('en').format()",
        "new Intl.DateTimeFormat('en').formatToParts()",
        "performance.now()",
        "Temporal.Now.instant()",
        "new Event('x').timeStamp.toFixed(); performance.timeOrigin",
        "new File([], 'x').lastModified",
    ],
)
async def test_javascript_reaches_nothing(source: str) -> None:
    error = await fault("javascript", source)
    assert (error.code, SECRET in error.message) == ("code.error", False), error


async def test_no_module_of_node_can_be_imported() -> None:
    source = f"const open = []\nfor (const name of {[*NAMES]})"
    source += " try { await import('node:' + name); open.push(name) } catch {}\nreturn open"
    assert await result("javascript", source) == []


def test_no_module_of_node_is_unknown_here() -> None:
    source = 'import m from "node:module"; console.log(m.builtinModules.join(" "))'
    done = subprocess.run(
        [find_programs()["deno"], "eval", source],
        capture_output=True,
        text=True,
        check=True,
        env={"NO_COLOR": "1", "DENO_DIR": "/nonexistent"},
    )
    assert {name.removeprefix("node:") for name in done.stdout.split()} - {*NAMES} == set()


@pytest.mark.parametrize("language", ["python", "javascript"])
async def test_an_import_of_typescript_and_the_like_reaches_nothing(language: str) -> None:
    source = "import main" if language == "python" else "await import('./main.ts')"
    assert (await fault(language, source)).code == "code.error"


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("python", f"print({FORGERY!r})\nprint('\\n' + {FORGERY!r})\n7"),
        ("python", "print('\\n{\"value\":\"8\"}\\n{\"value\":\"8\"}')\n7"),
        ("javascript", f"console.log({FORGERY!r}); console.log('\\n' + {FORGERY!r}); return 7"),
        ("javascript", "console.log('\\n{\"value\":\"8\"}\\n'); return 7"),
        ("javascript", "JSON.stringify = () => '8'; return 7"),
        ("javascript", "Object.prototype.toJSON = () => 8; return 7"),
        ("javascript", "const f = Function.prototype; f.call = f.bind = f.apply = () => 8; return 7"),
        ("javascript", "TextEncoder.prototype.encode = () => new Uint8Array([56]); return 7"),
        ("javascript", "Uint8Array.prototype.subarray = () => new Uint8Array([56]); return 7"),
        ("javascript", "String.prototype.slice = String.prototype.concat = () => '8'; return 7"),
        ("javascript", "Promise.prototype.then = (go) => go(8); return 7"),
        ("javascript", "addEventListener('error', (e) => e.stopImmediatePropagation()); return 7"),
    ],
)  # fmt: skip
async def test_prints_and_changed_built_ins_forge_no_result(language: str, source: str) -> None:
    assert await result(language, source) == 7


async def test_a_result_says_its_own_form() -> None:
    assert await result("javascript", "return {toJSON: () => 'mine'}") == "mine"


@pytest.mark.parametrize(
    ("language", "leave", "look"),
    [
        (
            "javascript",
            "Object.prototype.left = 1; globalThis.left = 1",
            "return [typeof left, typeof {}.left]",
        ),
        ("javascript", "Array.prototype.map = null; Date = null", "return [typeof [].map, typeof Date]"),
        ("python", "left = 1\nimport json\njson.left = 1", "import json\n[hasattr(json, 'left')]"),
    ],
)
async def test_a_run_leaves_nothing_to_the_next(language: str, leave: str, look: str) -> None:
    before = await result(language, look)
    for _ in range(3):
        await _tried(language, leave)
    assert await result(language, look) == before


async def _tried(language: str, source: str) -> Any:
    try:
        return await result(language, source)
    except Exception as error:
        return error


async def test_runs_beside_each_other_see_only_their_own() -> None:
    sources = [("python", f"secret = {n}\nprint(secret)\nsecret") for n in range(4)]
    sources += [
        ("javascript", f"globalThis.secret = {n}; console.log(secret); return secret") for n in range(4)
    ]
    logs: list[list[str]] = [[] for _ in sources]
    found = await asyncio.gather(*(result(*source, log) for source, log in zip(sources, logs, strict=True)))
    assert (found, logs) == ([*range(4)] * 2, [[str(n)] for n in [*range(4)] * 2])
