"""A Restate service, `python -m bench.peers.restate PORT`; recurring fires are its guides' cron handler."""

import asyncio
import sys
from datetime import timedelta
from typing import Any

import hypercorn
import hypercorn.asyncio
import restate

from bench.peers.control import sink

SINK = sink()
bench = restate.Service("bench")
cron = restate.VirtualObject("cron")


@bench.handler()
async def fire(context: restate.Context, request: dict[str, Any]) -> None:
    """The action: one journaled step."""
    await context.run_typed("mark", SINK.hit, fire=request["fire"], due=request["due"])


@bench.handler()
async def chain(context: restate.Context, length: int) -> None:
    """Journaled steps one after the other."""
    for number in range(length):
        await context.run_typed(f"s{number}", _nothing)


@cron.handler()
async def tick(context: restate.ObjectContext, request: dict[str, Any]) -> None:
    """Start the action, then send the next tick to come at its due."""
    due, every, times = request["due"], request["every"], request["times"]
    context.service_send(fire, arg={"fire": f"{context.key()}/{times}", "due": due})
    if times > 1:
        following = due + every
        delay = timedelta(seconds=max(0.0, following - await context.time()))
        again = {"due": following, "every": every, "times": times - 1}
        context.object_send(tick, key=context.key(), arg=again, send_delay=delay)


async def _nothing() -> None:
    return


async def main() -> None:
    config = hypercorn.Config()
    config.bind = [f"127.0.0.1:{sys.argv[1]}"]
    await hypercorn.asyncio.serve(restate.app([bench, cron]), config)


if __name__ == "__main__":
    asyncio.run(main())
