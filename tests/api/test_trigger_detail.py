from datetime import timedelta
from typing import Any

from httpx import AsyncClient
from pydantic import JsonValue

from cronny.store.claims import Claim, claim
from cronny.store.records import StageEnd, TriggerEnd, end_stages, end_triggers
from cronny.store.tables import StageState, TriggerState
from tests.api.server import Server

CHAIN = """version: 1
name: chain
stages:
  - {id: first, uses: set, with: {values: {a: 1}}, sensitive: SENSITIVE}
  - {id: second, uses: set, with: {values: {b: 2}}}
"""
ODD: JsonValue = {"text": "\ud800"}  # what a server's JSON may hold


async def executed(server: Server, client: AsyncClient, *, is_sensitive: bool = False) -> dict[str, Any]:
    """A trigger whose first stage has completed, as it is shown."""
    await client.put("/v1/actions/chain", content=CHAIN.replace("SENSITIVE", str(is_sensitive).lower()))
    trigger = (await client.post("/v1/actions/chain/run")).json()["id"]
    server.clock.advance(timedelta(milliseconds=7))
    now = server.clock()
    end = StageEnd(trigger, "first", StageState.COMPLETED, 1, now, {"a": 1}, ODD, None, (0,), "log")
    async with server.parts.database.write() as session:
        await claim(session, [Claim(trigger, 0, "run", "first")], now)
        await end_stages(session, [end])
        ending = TriggerEnd(trigger, "run", TriggerState.COMPLETED, "", ODD, None, now, ("second",))
        await end_triggers(session, [ending], now)
    shown: dict[str, Any] = (await client.get(f"/v1/triggers/{trigger}")).json()
    return shown


async def test_a_trigger_is_shown_with_its_stages(each_server: Server, each_acme: AsyncClient) -> None:
    shown = await executed(each_server, each_acme)
    assert (shown["state"], shown["lateness_ms"], shown["outputs"]) == ("completed", 7.0, ODD)
    assert shown["stages"][0] == {
        "id": "first",
        "state": "completed",
        "attempt": 1,
        "started": "2026-03-02T08:00:00.007000Z",
        "finished": "2026-03-02T08:00:00.007000Z",
        "input": {"a": 1},
        "output": ODD,
        "error": None,
        "log": "log",
        "fired": [{"to": "second", "on": "success", "label": ""}],
        "failed_attempts": [],
        "items": None,
        "taken_over": False,
        "large": {},
    }
    assert [(stage["id"], stage["state"]) for stage in shown["stages"]] == [
        ("first", "completed"),
        ("second", "skipped"),
    ]


async def test_values_of_a_sensitive_stage_are_not_shown(server: Server, acme: AsyncClient) -> None:
    first = (await executed(server, acme, is_sensitive=True))["stages"][0]
    assert [first[name] for name in ("input", "output", "error", "log")] == [
        "(sensitive)",
        "(sensitive)",
        None,
        "(sensitive)",
    ]
