"""What the arms do: the same three loads, each in Cronny and in bare Temporal."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import httpx
from temporalio.client import Client

from bench.bare import QUEUE, Chain, Sleeper
from bench.sink import Hit
from bench.stand import Stand
from cronny.names import schedule_workflow

AT_ONCE = 16  # requests under way while an arm is set up
PERIOD = 10.0  # seconds between the fires of one schedule under a steady load
PATIENCE = 300.0  # seconds after which missing fires count as lost

MARK_ACTION = """\
version: 1
name: mark
stages:
  - id: mark
    uses: mark
    with: {due: "${{ trigger.due }}", fire: "${{ trigger.id }}"}
"""


def cronny_workers(stand: Stand) -> ExitStack:
    """Cronny's API and worker."""
    stack = ExitStack()
    stack.enter_context(stand.process("api", "bench.api"))
    stack.enter_context(stand.process("worker", "bench.worker"))
    return stack


def bare_workers(stand: Stand) -> ExitStack:
    """A worker of the bare arm."""
    stack = ExitStack()
    stack.enter_context(stand.process("worker", "bench.bare", stand.settings.temporal_target))
    return stack


async def cronny_herd(stand: Stand, count: int) -> list[Hit]:
    """So many schedules due at one instant."""
    async with stand.api() as api:
        await _ready(api)
        await _put(api, "/v1/actions/mark", MARK_ACTION)
        due = _soon(
            20 + count / 12
        )  # twelve a second leave the machine room: what is due is allocated by then
        text = datetime.fromtimestamp(due, UTC).isoformat()

        async def one(number: int) -> None:
            body = {"action": "mark", "schedule": {"at": text}}
            (await api.put(f"/v1/schedules/herd-{number}-{int(due)}", json=body)).raise_for_status()

        await gathered(one, count)
        stand.sink.clear()
        return await _hits(stand, count, due)


async def bare_herd(stand: Stand, count: int, *, has_child: bool) -> list[Hit]:
    """So many workflows that sleep to one instant."""
    client = await stand.client()
    due = _soon(8 + count / 100)

    async def one(number: int) -> None:
        await _sleeper(client, f"herd-{int(due)}-{number}", due, 0.0, 1, has_child)

    await gathered(one, count)
    stand.sink.clear()
    return await _hits(stand, count, due)


async def cronny_steady(stand: Stand, rate: int, seconds: int) -> list[Hit]:
    """So many fires a second, evenly spread, from schedules of ten seconds each."""
    count = int(rate * PERIOD)
    async with stand.api() as api:
        await _ready(api)
        await _put(api, "/v1/actions/mark", MARK_ACTION)
        begin = _soon(20 + count / 12)
        end = datetime.fromtimestamp(begin + PERIOD + seconds, UTC).isoformat()

        async def one(number: int) -> None:
            start = datetime.fromtimestamp(begin + int(number * PERIOD / count), UTC).isoformat()
            rule = {"every": "10s", "start": start, "end": end}
            body = {"action": "mark", "schedule": rule}
            (await api.put(f"/v1/schedules/steady-{number}-{int(begin)}", json=body)).raise_for_status()

        await gathered(one, count)
        return await _between(stand, begin + PERIOD, begin + PERIOD + seconds)


async def bare_steady(stand: Stand, rate: int, seconds: int) -> list[Hit]:
    """The same load from workflows that sleep and start a child, again and again."""
    client = await stand.client()
    count = int(rate * PERIOD)
    begin = _soon(8 + count / 100)
    times = int(seconds // PERIOD) + 2

    async def one(number: int) -> None:
        start = begin + int(number * PERIOD / count)
        await _sleeper(client, f"steady-{int(begin)}-{number}", start, PERIOD, times, True)

    await gathered(one, count)
    return await _between(stand, begin + PERIOD, begin + PERIOD + seconds)


async def cronny_chain(stand: Stand, length: int, times: int) -> list[float]:
    """Seconds from the claim to the end of an action of so many stages in a row, for each of some runs."""
    stages = "".join(f"  - {{id: s{number}, uses: noop}}\n" for number in range(length))
    async with stand.api() as api:
        await _ready(api)
        await _put(api, "/v1/actions/chain", f"version: 1\nname: chain\nstages:\n{stages}")
        return [await _run_once(api) for _ in range(times)]


async def bare_chain(stand: Stand, length: int, times: int) -> list[float]:
    """Seconds from the start to the end of a workflow of so many activities in a row."""
    client = await stand.client()
    seconds = []
    for number in range(times):
        began = time.monotonic()
        await client.execute_workflow(Chain.run, length, id=f"chain-{number}-{began}", task_queue=QUEUE)
        seconds.append(time.monotonic() - began)
    return seconds


async def cronny_events(stand: Stand, fires: int) -> tuple[float, int]:
    """History events a fire in a schedule workflow (of ten seconds each), and in a trigger of one stage."""
    client = await stand.client()
    async with stand.api() as api:
        await _ready(api)
        await _put(api, "/v1/actions/mark", MARK_ACTION)
        begin = datetime.fromtimestamp(_soon(15), UTC)
        end = begin + (fires - 1) * timedelta(seconds=61)
        rule = {"every": "61s", "start": begin.isoformat(), "end": end.isoformat()}
        answer = await api.put("/v1/schedules/events", json={"action": "mark", "schedule": rule})
        answer.raise_for_status()
        rows = await _ended(api, "events", fires)
    parent = await client.get_workflow_handle(schedule_workflow("bench", "events")).describe()
    child = await client.get_workflow_handle(rows[0]["workflow_id"]).describe()
    return parent.history_length / fires, child.history_length


async def gathered(one: Callable[[int], Awaitable[None]], count: int) -> None:
    """Do something so many times, a few at once."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def gated(number: int) -> None:
        async with gate:
            await one(number)

    await asyncio.gather(*[gated(number) for number in range(count)])


async def _sleeper(client: Client, name: str, due: float, every: float, times: int, has_child: bool) -> None:
    await client.start_workflow(
        Sleeper.run, args=[due, every, times, has_child], id=f"bare-{name}", task_queue=QUEUE
    )


async def _hits(stand: Stand, count: int, due: float) -> list[Hit]:
    while len(stand.sink.read()) < count and time.time() < due + PATIENCE:  # noqa: ASYNC110 - workers write it
        await asyncio.sleep(0.2)
    await asyncio.sleep(1)  # a fire that comes twice comes soon
    return stand.sink.read()


async def _between(stand: Stand, begin: float, end: float) -> list[Hit]:
    await asyncio.sleep(max(0.0, end + 10 - time.time()))
    return [hit for hit in stand.sink.read() if begin <= hit.due < end]


async def _run_once(api: httpx.AsyncClient) -> float:
    answer = await api.post("/v1/actions/chain/run", json={"inputs": {}})
    answer.raise_for_status()
    while True:
        trigger = (await api.get(f"/v1/triggers/{answer.json()['id']}")).json()
        if trigger["finished"]:
            return _seconds(trigger["started"], trigger["finished"])
        await asyncio.sleep(0.2)


async def _ended(api: httpx.AsyncClient, schedule: str, count: int) -> Sequence[dict[str, str]]:
    while True:
        answer = await api.get("/v1/triggers", params={"schedule": schedule, "state": "completed"})
        rows: Sequence[dict[str, str]] = answer.json()["items"]
        if len(rows) >= count:
            return rows
        await asyncio.sleep(1)


async def _put(api: httpx.AsyncClient, path: str, text: str) -> None:
    (await api.put(path, content=text)).raise_for_status()


async def _ready(api: httpx.AsyncClient) -> None:
    for _ in range(600):
        try:
            if (await api.get("/readyz")).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.1)
    raise RuntimeError("Cronny's API does not answer")


def _soon(seconds: float) -> float:
    return float(int(time.time() + seconds) + 1)


def _seconds(begin: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
