"""Cronny, over its HTTP API."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime

import httpx

from bench.arm import Arm, Recurring, gathered
from bench.stand import TENANTS, Stand

MARK = """\
version: 1
name: mark
stages:
  - id: mark
    uses: mark
    with: {due: "${{ trigger.due }}", fire: "${{ trigger.id }}/TENANT"}
"""


class Cronny(Arm):
    """Cronny's API and one worker."""

    name = "cronny"

    def __init__(self, tenant: str = TENANTS[0]) -> None:
        self._tenant = tenant

    def room(self, count: int) -> float:
        """Fifty a second are taken in, and twelve a second allocated, which leaves the machine air."""
        return 20 + count / 50 + count / 12

    @contextmanager
    def servers(self, stand: Stand) -> Iterator[None]:
        """The API."""
        with stand.module("api", "bench.api"):
            yield

    def worker(self, stand: Stand) -> AbstractContextManager[None]:
        """The worker, which is the clock too."""
        return stand.module("worker", "bench.worker")

    async def once(self, stand: Stand, prefix: str, dues: Sequence[float]) -> None:
        """Schedules of one date each."""
        rules = [(f"{prefix}-{number}", {"at": _text(due)}) for number, due in enumerate(dues)]
        await self._put(stand, rules)

    async def recurring(self, stand: Stand, rules: Sequence[Recurring]) -> None:
        """Schedules of an interval each."""
        await self._put(stand, [(rule.name, _interval(rule)) for rule in rules])

    async def chain(self, stand: Stand, length: int, times: int) -> list[float]:
        """An action of so many stages in a row, from the claim to its end."""
        stages = "".join(f"  - {{id: s{number}, uses: noop}}\n" for number in range(length))
        async with stand.api(self._tenant) as api:
            await ready(api)
            await put_text(api, "/v1/actions/chain", f"version: 1\nname: chain\nstages:\n{stages}")
            return [await _run_once(api) for _ in range(times)]

    async def _put(self, stand: Stand, rules: Sequence[tuple[str, dict[str, str]]]) -> None:
        async with stand.api(self._tenant) as api:
            await ready(api)
            await put_text(api, "/v1/actions/mark", MARK.replace("TENANT", self._tenant))

            async def one(number: int) -> None:
                name, rule = rules[number]
                body = {"action": "mark", "schedule": rule}
                accepted(await api.put(f"/v1/schedules/{name}", json=body))

            await gathered(one, len(rules))


async def ready(api: httpx.AsyncClient) -> None:
    """Return when the API says that it is ready."""
    for _ in range(600):
        try:
            if (await api.get("/readyz")).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.1)
    raise RuntimeError("Cronny's API does not answer")


def accepted(answer: httpx.Response) -> None:
    """Raises with what the API says, unless it did as asked."""
    if not answer.is_success:
        raise RuntimeError(f"{answer.request.method} {answer.request.url.path}: {answer.text}")


async def put_text(api: httpx.AsyncClient, path: str, text: str) -> None:
    """Upload an action's text."""
    accepted(await api.put(path, content=text))


def _interval(rule: Recurring) -> dict[str, str]:
    end = int(rule.dues()[-1]) + 1  # whole seconds, as Cronny has them
    return {"every": f"{rule.every:.0f}s", "start": _text(rule.start), "end": _text(end)}


def _text(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).isoformat()


async def _run_once(api: httpx.AsyncClient) -> float:
    answer = await api.post("/v1/actions/chain/run", json={"inputs": {}})
    accepted(answer)
    while True:
        trigger = (await api.get(f"/v1/triggers/{answer.json()['id']}")).json()
        if trigger["finished"]:
            return _seconds(trigger["started"], trigger["finished"])
        await asyncio.sleep(0.2)


def _seconds(begin: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
