"""Streams over a real socket: what comes, when it ends, and who may open one."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from api.follow import streams as limits
from api.follow.streams import MOST_OF_KEY, Streams
from cronny.store.claims import Claim, claim
from cronny.store.following import MOST_ITEMS
from cronny.store.item_tables import ItemRow, ItemState
from cronny.store.live import LogLine, Piece, Unit, write_live
from cronny.store.records import StageEnd, TriggerEnd, end_stages, end_triggers
from cronny.store.tables import StageState, TriggerState
from tests.api.server import Server
from tests.servers.ports import free_port

ACTION = "{version: 1, name: wait, stages: [{id: work, uses: set, with: {values: {a: 1}}}]}"


@asynccontextmanager
async def listening(server: Server) -> AsyncIterator[str]:
    """The URL of the server on a socket; it looks at the database all the time."""
    server.app.state.streams = Streams(server.parts.database, every=0.01)
    config = uvicorn.Config(server.app, port=free_port(), lifespan="off", log_config=None)
    running = uvicorn.Server(config)
    serving = asyncio.create_task(running.serve())
    while not running.started:  # noqa: ASYNC110  # it tells nobody
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{config.port}"
    finally:
        server.app.state.streams.close()
        running.should_exit = True
        await serving


class Follower:
    """The events of one stream, one after the other."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.last = ""
        self._lines = response.aiter_lines()

    async def next(self) -> dict[str, Any]:
        """The next event; raises StopAsyncIteration at the end of the stream."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(30):
            async for line in self._lines:
                if not line and "event" in fields:
                    self.last = fields["id"]
                    return {"event": fields["event"], **json.loads(fields["data"])}
                name, _, value = line.partition(": ")
                fields[name] = value
        raise StopAsyncIteration

    async def rest(self) -> list[str]:
        """What is left, in short."""
        told = []
        while True:
            try:
                told.append(short(await self.next()))
            except StopAsyncIteration:
                return told


def short(event: dict[str, Any]) -> str:
    return str(event["text"] if event["event"] == "log" else f"{event.get('stage') or ''} {event['state']}")


@asynccontextmanager
async def following(
    url: str, client: httpx.AsyncClient, trigger: str, last: str = "", **query: Any
) -> AsyncIterator[Follower]:
    headers = {"Authorization": client.headers["Authorization"]} | ({"Last-Event-ID": last} if last else {})
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as http,
        http.stream("GET", f"/v1/triggers/{trigger}/events", params=query) as response,
    ):
        yield Follower(response)


async def started(server: Server, client: httpx.AsyncClient) -> str:
    """A trigger whose stage executes."""
    await client.put("/v1/actions/wait", content=ACTION)
    trigger: str = (await client.post("/v1/actions/wait/run")).json()["id"]
    async with server.parts.database.write() as session:
        await claim(session, [Claim(trigger, 0, "run", "work")], server.clock())
    return trigger


async def say(server: Server, trigger: str, text: str, first: int = 0) -> None:
    now = server.clock()
    piece = Piece(Unit(trigger, "work"), now, 1, first, [LogLine(text, now, "stdout")])
    async with server.parts.database.write() as session:
        await write_live(session, [piece], now)


async def end(server: Server, trigger: str, log: str) -> None:
    now = server.clock()
    stage = StageEnd(trigger, "work", StageState.COMPLETED, 1, now, None, None, None, (), log, is_live=True)
    async with server.parts.database.write() as session:
        await end_stages(session, [stage])
        await end_triggers(
            session, [TriggerEnd(trigger, "run", TriggerState.COMPLETED, "", None, None, now)], now
        )


async def test_lines_come_while_the_stage_runs_and_all_of_them_once(
    each_server: Server, each_acme: httpx.AsyncClient
) -> None:
    trigger = await started(each_server, each_acme)
    async with listening(each_server) as url, following(url, each_acme, trigger) as follower:
        first = [short(await follower.next()) for _ in range(2)]
        await say(each_server, trigger, "one")
        first.append(short(await follower.next()))
        await end(each_server, trigger, "one\ntwo")
        assert [*first, *await follower.rest()] == [
            " executing", "work started", "one", "two", "work completed", " completed", " completed",
        ]  # fmt: skip
    assert follower.response.headers["content-type"].startswith("text/event-stream")
    assert follower.response.headers["x-accel-buffering"] == "no"


async def test_a_cut_connection_goes_on_where_it_was(
    each_server: Server, each_acme: httpx.AsyncClient
) -> None:
    trigger = await started(each_server, each_acme)
    await say(each_server, trigger, "one")
    async with listening(each_server) as url:
        async with following(url, each_acme, trigger) as follower:
            told = [short(await follower.next()) for _ in range(3)]
        await say(each_server, trigger, "two", first=1)
        async with following(url, each_acme, trigger, follower.last) as follower:
            told.append(short(await follower.next()))
        await end(each_server, trigger, "one\ntwo\nthree")
        async with following(url, each_acme, trigger, follower.last) as follower:
            told += await follower.rest()
    assert told[2:] == ["one", "two", "three", "work completed", " completed", " completed"]


async def test_items_are_told_as_they_end(each_server: Server, each_acme: httpx.AsyncClient) -> None:
    trigger, now = await started(each_server, each_acme), each_server.clock()
    items = [
        ItemRow(
            trigger_id=trigger, stage_id="work", item=number, state=ItemState.COMPLETED, attempt=1,
            started_at=now, finished_at=now, log=f"item {number}",
        )
        for number in range(MOST_ITEMS + 3)
    ]  # fmt: skip
    async with each_server.parts.database.write() as session:
        session.add_all(items)
    async with listening(each_server) as url:
        async with following(url, each_acme, trigger) as follower:
            told = [short(await follower.next()) for _ in range(5)]
        async with following(url, each_acme, trigger, follower.last, follow="false") as follower:
            told += await follower.rest()
    assert told[2:] == [text for item in items for text in (item.log, "work completed")]


async def test_who_has_seen_the_end_is_told_not_to_come_back(server: Server, acme: httpx.AsyncClient) -> None:
    trigger = await started(server, acme)
    await end(server, trigger, "")
    async with listening(server) as url:
        async with following(url, acme, trigger) as follower:
            await follower.rest()
        async with following(url, acme, trigger, follower.last) as again:
            assert again.response.status_code == 204


async def test_who_does_not_follow_gets_what_there_is(server: Server, acme: httpx.AsyncClient) -> None:
    trigger = await started(server, acme)
    await say(server, trigger, "one")
    async with listening(server) as url, following(url, acme, trigger, follow="false") as follower:
        assert await follower.rest() == [" executing", "work started", "one"]


async def test_a_server_that_ends_ends_its_streams(server: Server, acme: httpx.AsyncClient) -> None:
    trigger = await started(server, acme)
    async with listening(server) as url, following(url, acme, trigger) as follower:
        await follower.next()
        server.app.state.streams.close()
        assert await follower.rest() == ["work started"]


async def test_a_key_has_only_so_many_streams(
    server: Server, acme: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_OF_KEY", 1)
    trigger = await started(server, acme)
    async with listening(server) as url:
        async with following(url, acme, trigger) as first, following(url, acme, trigger) as second:
            await first.next()
            refusal = json.loads(await second.response.aread())
        assert (second.response.status_code, refusal["code"]) == (429, "too_many")
        assert "1 open streams" in refusal["detail"]
        async with asyncio.timeout(30):
            while server.app.state.streams.count:  # noqa: ASYNC110  # a client that left is noticed later
                await asyncio.sleep(0.01)
        async with following(url, acme, trigger) as third:
            assert third.response.status_code == 200


def test_a_place_is_given_back_once() -> None:
    streams = Streams(database=None)  # type: ignore[arg-type]  # nobody looks
    leaves = [streams.enter("acme", "a") for _ in range(MOST_OF_KEY)]
    streams.enter("acme", "b")
    leaves[0]()
    leaves[0]()
    assert streams.count == MOST_OF_KEY


async def test_another_tenants_trigger_is_not_there(server: Server, acme: httpx.AsyncClient) -> None:
    trigger = await started(server, acme)
    async with await server.tenant("other") as other:
        answers = [await other.get(f"/v1/triggers/{trigger}/{what}") for what in ("events", "log")]
    assert [answer.status_code for answer in answers] == [404, 404]


async def test_an_id_of_somebody_else_is_refused(server: Server, acme: httpx.AsyncClient) -> None:
    trigger = await started(server, acme)
    answer = await acme.get(f"/v1/triggers/{trigger}/events", headers={"Last-Event-ID": "7"})
    assert (answer.status_code, answer.json()["problems"][0]["where"]) == (422, "header.last-event-id")


async def test_the_log_of_a_running_stage_is_text(each_server: Server, each_acme: httpx.AsyncClient) -> None:
    trigger = await started(each_server, each_acme)
    await say(each_server, trigger, "one")
    place = f"/v1/triggers/{trigger}/log"
    texts = [(await each_acme.get(place, params=query)).text for query in ({}, {"stage": "work"})]
    await end(each_server, trigger, "one\ntwo")
    texts.append((await each_acme.get(place)).text)
    assert texts == ["work | one\n", "one\n", "work | one\nwork | two\n"]


@pytest.mark.parametrize("query", ["stage=none", "stage=work&item=3"])
async def test_what_was_never_executed_has_no_log(
    server: Server, acme: httpx.AsyncClient, query: str
) -> None:
    trigger = await started(server, acme)
    assert (await acme.get(f"/v1/triggers/{trigger}/log?{query}")).status_code == 404


async def test_the_log_of_an_item_is_text(server: Server, acme: httpx.AsyncClient) -> None:
    trigger = await started(server, acme)
    async with server.parts.database.write() as session:
        session.add(ItemRow(trigger_id=trigger, stage_id="work", item=3, attempt=1, log="one\ntwo"))
    answer = await acme.get(f"/v1/triggers/{trigger}/log?stage=work&item=3")
    assert answer.text == "one\ntwo\n"
