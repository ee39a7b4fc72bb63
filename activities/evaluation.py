"""The program that evaluates expressions: a process of its own, which may be killed.

Each line on standard input is a request, each line on standard output its answer, in the same order.
"""

import json
import resource
import sys

from pydantic import JsonValue

from dsl.cel import ExpressionError, holds, render
from dsl.scopes import Scope

MEMORY_LIMIT = 1 << 30  # bytes of address space; what outgrows it ends the process, not the worker


def answer(line: str) -> str:
    """The answer to one request: `{"value": …}`, or `{"error": …}` with a message for people."""
    request = json.loads(line)
    scope = Scope.of(request["types"])
    evaluate = holds if request["is_condition"] else render
    try:
        value: JsonValue = evaluate(request["value"], request["variables"], scope)
    except ExpressionError as error:
        return json.dumps({"error": error.message})
    except RecursionError:
        return json.dumps({"error": "the values are nested too deeply"})
    return json.dumps({"value": value}, separators=(",", ":"))


def main() -> None:
    """Answer until standard input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    for line in sys.stdin:
        sys.stdout.write(answer(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
