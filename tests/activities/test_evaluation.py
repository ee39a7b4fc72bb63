import json
import subprocess

import pytest
from pydantic import JsonValue

from activities.evaluator import COMMAND


def ask(*requests: JsonValue) -> "subprocess.CompletedProcess[str]":
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    return subprocess.run(COMMAND, input=lines, capture_output=True, text=True, check=False)


def question(value: JsonValue, *, is_condition: bool = False) -> JsonValue:
    return {"value": value, "variables": {"n": 2}, "types": {"n": "int"}, "is_condition": is_condition}


def test_each_line_gets_its_answer_in_order() -> None:
    done = ask(question("${{ n }}"), question("n > 1", is_condition=True), question("${{ 1 / 0 }}"))
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"value": 2},
        {"value": True},
        {"error": "divide by zero"},
    ]
    assert done.returncode == 0


@pytest.mark.parametrize("code", ["while True: pass", "bytearray(2 << 30)"])
def test_what_takes_too_long_or_too_much_ends_the_process(code: str) -> None:
    program = (
        "import activities.evaluation as e; e.CPU_LIMIT = 0.1;"
        f"e.answer = lambda line: exec({code!r}); e.main()"
    )
    done = subprocess.run(
        [*COMMAND[:2], "-c", program], input="{}\n", capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert done.stdout == ""
