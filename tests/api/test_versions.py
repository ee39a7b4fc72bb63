"""Versions of actions, and their end, through the API."""

from typing import Any

import pytest
from httpx import AsyncClient

from tests.api.server import PING, Server

DAILY = PING + "schedule: every day at 09:00\n"
LATER = DAILY.replace("09:00", "10:00")
TENTH = "2026-03-10T09:00:00Z"


async def put(client: AsyncClient, *texts: str) -> None:
    for text in texts:
        assert (await client.put("/v1/actions/ping", content=text)).is_success


async def ask(client: AsyncClient, path: str, **query: Any) -> Any:
    return (await client.get(f"/v1/actions/ping{path}", params=query)).json()


async def roll_back(client: AsyncClient, **body: Any) -> Any:
    answer = await client.post("/v1/actions/ping/rollback", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_every_text_is_a_version_and_the_same_text_none(each_acme: AsyncClient) -> None:
    await put(each_acme, PING, DAILY, DAILY, LATER)
    found = (await ask(each_acme, "/versions"))["items"]
    assert [(one["version"], one["actor"], one["restored"]) for one in found] == [
        (3, "test", None),
        (2, "test", None),
        (1, "test", None),
    ]


async def test_versions_come_in_pages(each_acme: AsyncClient) -> None:
    await put(each_acme, PING, DAILY, LATER)
    first = await ask(each_acme, "/versions", limit=2)
    rest = await ask(each_acme, "/versions", limit=2, cursor=first["next"])
    assert [one["version"] for one in first["items"] + rest["items"]] == [3, 2, 1]
    assert rest["next"] is None


async def test_a_version_is_shown_as_it_was_uploaded(acme: AsyncClient) -> None:
    await put(acme, PING, DAILY)
    shown = await ask(acme, "/versions/1")
    assert (shown["version"], shown["source"], shown["action"]["schedule"]) == (1, PING, None)


@pytest.mark.parametrize(
    "path", ["/versions/0", "/versions/x", "/versions?cursor=x", "/diff?from=0", "/versions/99999999999"]
)
async def test_what_is_no_version_is_refused(acme: AsyncClient, path: str) -> None:
    await put(acme, PING)
    assert (await acme.get(f"/v1/actions/ping{path}")).status_code == 422


@pytest.mark.parametrize("path", ["ping/versions/7", "ping/diff?from=1&to=7", "nope/versions", "nope/diff"])
async def test_a_version_that_is_not_there_is_404(acme: AsyncClient, path: str) -> None:
    await put(acme, PING)
    assert (await acme.get(f"/v1/actions/{path}")).status_code == 404


async def test_a_difference_is_told_by_lines_and_by_parts(each_acme: AsyncClient) -> None:
    await put(each_acme, DAILY, LATER)
    found = await ask(each_acme, "/diff")
    assert (found["before"], found["after"]) == (1, 2)
    assert found["text"].splitlines()[:2] == ["--- ping v1", "+++ ping v2"]
    assert "-schedule: every day at 09:00\n+schedule: every day at 10:00\n" in found["text"]
    field = {"field": "", "before": "every day at 09:00", "after": "every day at 10:00"}
    assert found["differences"] == [
        {"change": "changed", "part": "schedule", "name": "schedule", "fields": [field]}
    ]


async def test_a_version_is_compared_with_itself_and_backwards(acme: AsyncClient) -> None:
    await put(acme, DAILY, LATER)
    same = await ask(acme, "/diff", **{"from": 2, "to": 2})
    back = await ask(acme, "/diff", **{"from": 2, "to": 1})
    assert (same["text"], same["differences"], back["after"]) == ("", [], 1)


async def test_the_first_version_has_none_before_it(acme: AsyncClient) -> None:
    await put(acme, PING)
    assert (await acme.get("/v1/actions/ping/diff")).status_code == 409
    assert (await acme.post("/v1/actions/ping/rollback")).status_code == 409


async def test_a_rollback_is_a_new_version_with_the_old_text(each_acme: AsyncClient) -> None:
    await put(each_acme, DAILY, LATER)
    done = await roll_back(each_acme, note="too late in the day")
    assert (done["change"], done["version"], done["schedules"][0]["change"]) == ("updated", 3, "updated")
    shown = await ask(each_acme, "")
    newest = (await ask(each_acme, "/versions", limit=1))["items"][0]
    assert (shown["source"], newest["restored"]) == (DAILY, 1)
    assert (await each_acme.get("/v1/schedules/ping")).json()["schedule"] == "every day at 09:00"
    events = (await each_acme.get("/v1/events?kind=action_rolled_back")).json()["items"]
    assert [(one["actor"], one["note"], one["details"]) for one in events] == [
        ("test", "too late in the day", {"version": 3, "restored": 1})
    ]


async def test_a_rollback_to_the_text_that_is_there_writes_nothing(each_acme: AsyncClient) -> None:
    await put(each_acme, DAILY, LATER)
    done = await roll_back(each_acme, version=2)
    events = (await each_acme.get("/v1/events?kind=action_rolled_back")).json()["items"]
    assert (done["change"], done["version"], events) == ("unchanged", 2, [])


async def test_a_rehearsed_rollback_tells_the_fires_and_writes_nothing(each_acme: AsyncClient) -> None:
    await put(each_acme, DAILY, LATER)
    answer = await each_acme.post("/v1/actions/ping/rollback?dry_run=true", json={})
    fires = answer.json()["schedules"][0]["fires"]
    assert (fires["added"]["count"], fires["removed"]["count"]) == (90, 90)
    assert answer.json()["differences"][0]["part"] == "schedule"
    assert (await ask(each_acme, ""))["version"] == 2


async def test_a_text_that_names_what_is_gone_cannot_come_back(each_acme: AsyncClient) -> None:
    await each_acme.put("/v1/vars/HOST", json={"value": "a"})
    await put(each_acme, PING.replace("${{ inputs.region }}", "${{ vars.HOST }}"), PING)
    await each_acme.delete("/v1/vars/HOST")
    answer = await each_acme.post("/v1/actions/ping/rollback", json={"version": 1})
    assert (answer.status_code, answer.json()["problems"][0]["what"]) == (422, "there is no variable 'HOST'")


@pytest.mark.parametrize("edit", ["apply", "rollback"])
async def test_neither_a_pause_nor_a_skip_is_lost(each_acme: AsyncClient, edit: str) -> None:
    await put(each_acme, DAILY + "description: one\n", DAILY)
    await each_acme.post("/v1/schedules/ping/pause", json={"note": "holiday"})
    assert (await each_acme.post(f"/v1/schedules/ping/fires/{TENTH}/skip", json={})).status_code == 200
    if edit == "apply":
        await put(each_acme, DAILY.replace("every day", "every weekday"), DAILY)
    else:
        await roll_back(each_acme)
    shown = (await each_acme.get("/v1/schedules/ping")).json()
    changes = (await each_acme.get("/v1/schedules/ping/fires")).json()["items"]
    assert (shown["paused"], shown["note"], [one["due"] for one in changes]) == (True, "holiday", [TENTH])


async def test_a_trigger_keeps_the_version_that_it_was_made_for(each_acme: AsyncClient) -> None:
    await put(each_acme, PING)
    trigger = (await each_acme.post("/v1/actions/ping/run")).json()["id"]
    await put(each_acme, DAILY)
    assert (await each_acme.get(f"/v1/triggers/{trigger}")).json()["action_version"] == 1


async def delete(client: AsyncClient, **query: str) -> tuple[int, Any]:
    answer = await client.delete("/v1/actions/ping", params=query)
    return answer.status_code, answer.json()


async def test_an_action_with_schedules_is_deleted_only_with_them(each_acme: AsyncClient) -> None:
    await put(each_acme, DAILY)
    await each_acme.put("/v1/schedules/alone", json={"action": "ping", "schedule": "every day"})
    status, refused = await delete(each_acme)
    assert (status, "'ping', 'alone'" in refused["detail"]) == (409, True)
    assert (await delete(each_acme, with_schedules="own"))[0] == 409
    status, done = await delete(each_acme, with_schedules="all")
    assert (status, done["change"]) == (200, "deleted")
    assert {one["name"]: one["change"] for one in done["schedules"]} == {
        "ping": "deleted",
        "alone": "deleted",
    }
    paths = ("actions/ping", "schedules/ping", "schedules/alone")
    assert [(await each_acme.get(f"/v1/{path}")).status_code for path in paths] == [404] * 3


async def test_the_ledger_of_a_deleted_action_stays(each_acme: AsyncClient) -> None:
    await put(each_acme, PING)
    trigger = (await each_acme.post("/v1/actions/ping/run")).json()["id"]
    assert (await delete(each_acme))[0] == 200
    listed = (await each_acme.get("/v1/triggers?action=ping")).json()["items"]
    events = (await each_acme.get("/v1/events?action=ping&kind=action_deleted")).json()["items"]
    assert ([one["id"] for one in listed], len(events)) == ([trigger], 1)
    assert (await each_acme.get("/v1/actions")).json()["items"] == []


async def test_a_rehearsed_deletion_tells_the_fires_and_writes_nothing(each_acme: AsyncClient) -> None:
    await put(each_acme, DAILY)
    _, plan = await delete(each_acme, with_schedules="own", dry_run="true")
    assert plan["schedules"][0]["fires"]["removed"]["count"] == 90
    assert (await each_acme.get("/v1/schedules/ping")).status_code == 200


@pytest.mark.parametrize("way", ["upload", "rollback"])
async def test_a_deleted_action_comes_back_with_its_versions(each_acme: AsyncClient, way: str) -> None:
    await put(each_acme, PING, DAILY)
    await delete(each_acme, with_schedules="own")
    if way == "upload":
        done = (await each_acme.put("/v1/actions/ping", content=DAILY)).json()
    else:
        done = await roll_back(each_acme)
    assert (done["change"], done["version"], done["schedules"][0]["change"]) == ("created", 2, "created")


async def test_what_is_deleted_keeps_nothing_in_use(each_acme: AsyncClient) -> None:
    await each_acme.put("/v1/vars/HOST", json={"value": "a"})
    await put(each_acme, PING.replace("${{ inputs.region }}", "${{ vars.HOST }}"))
    await delete(each_acme)
    assert (await each_acme.delete("/v1/vars/HOST")).status_code == 204


async def test_actions_are_found_by_their_labels(each_acme: AsyncClient) -> None:
    await put(each_acme, PING + "labels: {team: web}\n")
    found = [
        [one["name"] for one in (await each_acme.get("/v1/actions", params={"label": label})).json()["items"]]
        for label in ("team=web", "team=db", "web=team")
    ]
    assert found == [["ping"], [], []]
    assert (await each_acme.get("/v1/actions?label=team")).status_code == 422


async def test_anothers_versions_are_not_there(server: Server, acme: AsyncClient) -> None:
    await put(acme, PING, DAILY)
    other = await server.tenant("globex")
    paths = ("versions", "versions/1", "diff")
    assert [(await other.get(f"/v1/actions/ping/{path}")).status_code for path in paths] == [404] * 3
    assert (await other.post("/v1/actions/ping/rollback")).status_code == 404


CALLING = """\
version: 1
name: calling
stages: [{id: call, uses: action, with: {action: ping}}]
"""


async def test_an_action_that_something_calls_is_not_deleted(each_acme: AsyncClient) -> None:
    await put(each_acme, PING)
    await each_acme.put("/v1/webhooks/hook", json={"action": "ping"})
    by_webhook = await delete(each_acme)
    await each_acme.delete("/v1/webhooks/hook")
    await each_acme.put("/v1/actions/calling", content=CALLING)
    by_action = await delete(each_acme)
    await each_acme.delete("/v1/actions/calling")
    refused = [(status, "trigger it: " in str(told)) for status, told in (by_webhook, by_action)]
    assert refused == [(409, True)] * 2
    assert (await delete(each_acme))[0] == 200
