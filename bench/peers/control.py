"""What a peer's process is told: a JSON list a line, a verb and its arguments; each line is answered."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from bench.sink import SINK_PATH, Sink

DATABASE = "BENCH_DATABASE"  # the environment variable with the URL of the peer's own PostgreSQL database

Verb = Callable[..., Awaitable[object]]


def sink() -> Sink:
    """Where this process notes its hits."""
    return Sink(Path(os.environ.get(SINK_PATH, os.devnull)))


async def obey(verbs: Mapping[str, Verb]) -> None:
    """Do what is said until the input ends."""
    sys.stdout.write('"ready"\n')
    sys.stdout.flush()
    while line := await asyncio.to_thread(sys.stdin.readline):
        verb, *arguments = json.loads(line)
        answer = await verbs[verb](*arguments)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
