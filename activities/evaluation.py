"""The program that evaluates expressions: a process of its own, which may be killed.

Each line on standard input is a request, each line on standard output its answer, in the same order.
"""

import json
import resource
import signal
import sys

from pydantic import JsonValue

from dsl.cel import ExpressionError, holds, render
from dsl.scopes import Scope

MEMORY_LIMIT = 1 << 30  # bytes of address space; what outgrows it ends the process, not the worker
CPU_LIMIT = 2.0  # seconds for one value, ten times what the engine's own limits let a loop take
VALUE_LIMIT = 16 << 20  # characters of JSON, as much as the largest response of a stage


def answer(line: str) -> str:
    """The answer to one request: `{"value": …}`, or `{"error": …}` with a message for people."""
    request = json.loads(line)
    scope = Scope.of(request["types"])
    evaluate = holds if request["is_condition"] else render
    try:
        value: JsonValue = evaluate(request["value"], request["variables"], scope)
        text = json.dumps({"value": value}, separators=(",", ":"))
    except ExpressionError as error:
        return json.dumps({"error": error.message})
    except RecursionError:
        return json.dumps({"error": "the values are nested too deeply"})
    if len(text) > VALUE_LIMIT:
        return json.dumps({"error": f"the value is larger than {VALUE_LIMIT >> 20} MB"})
    return text


def main() -> None:
    """Answer until standard input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_PROF, CPU_LIMIT)  # The signal ends the process, wherever it is.
        reply = answer(line)
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.write(reply + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
