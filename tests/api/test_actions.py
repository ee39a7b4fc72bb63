import asyncio

import pytest
from httpx import AsyncClient

from tests.api.server import PING, Server

EMBEDDED = PING + "schedule: every day at 09:00\n"
TWO = PING + 'schedules:\n  - {id: dawn, every: day, at: "06:00"}\n  - {id: dusk, every: day, at: "18:00"}\n'


async def changes(client: AsyncClient, text: str) -> tuple[int, str, dict[str, str]]:
    """Status, change of the action, and of each of its schedules, of an upload of `ping`."""
    answer = await client.put("/v1/actions/ping", content=text)
    body = answer.json()
    return answer.status_code, body["change"], {one["name"]: one["change"] for one in body["schedules"]}


async def test_an_upload_makes_an_action_and_its_schedules(each_acme: AsyncClient) -> None:
    assert await changes(each_acme, TWO) == (201, "created", {"ping-dawn": "created", "ping-dusk": "created"})


async def test_the_same_text_again_changes_nothing(each_acme: AsyncClient) -> None:
    await changes(each_acme, EMBEDDED)
    before = (await each_acme.get("/v1/schedules/ping")).json()
    assert await changes(each_acme, EMBEDDED) == (200, "unchanged", {"ping": "unchanged"})
    assert (await each_acme.get("/v1/schedules/ping")).json() == before


async def test_another_text_is_a_new_version_and_moves_its_schedules(each_acme: AsyncClient) -> None:
    await changes(each_acme, TWO)
    edited = TWO.replace("06:00", "07:00").replace("id: dusk", "id: night")
    assert await changes(each_acme, edited) == (
        200,
        "updated",
        {"ping-dawn": "updated", "ping-night": "created", "ping-dusk": "deleted"},
    )
    assert (await each_acme.get("/v1/schedules/ping-dusk")).status_code == 404
    assert (await each_acme.get("/v1/actions/ping")).json()["version"] == 2


async def test_a_deleted_schedule_may_come_back(each_acme: AsyncClient) -> None:
    await changes(each_acme, EMBEDDED)
    await changes(each_acme, PING)
    assert await changes(each_acme, EMBEDDED) == (200, "updated", {"ping": "created"})


async def test_json_is_read_as_yaml_is(acme: AsyncClient) -> None:
    stages = [{"id": "mark", "uses": "set", "with": {"values": {"a": 1}}}]
    answer = await acme.put("/v1/actions/ping", json={"version": 1, "name": "ping", "stages": stages})
    assert answer.status_code == 201


async def test_an_action_is_shown_as_it_was_written(acme: AsyncClient) -> None:
    await changes(acme, EMBEDDED)
    shown = (await acme.get("/v1/actions/ping")).json()
    assert (shown["source"], shown["schedules"], shown["action"]["name"]) == (EMBEDDED, ["ping"], "ping")
    listed = (await acme.get("/v1/actions")).json()["items"]
    assert [one["name"] for one in listed] == ["ping"]


async def test_applying_never_resumes_a_paused_schedule(each_acme: AsyncClient) -> None:
    await changes(each_acme, EMBEDDED)
    await each_acme.post("/v1/schedules/ping/pause", json={"note": "holiday"})
    await changes(each_acme, EMBEDDED.replace("09:00", "10:00"))
    shown = (await each_acme.get("/v1/schedules/ping")).json()
    assert (shown["paused"], shown["note"], shown["schedule"]) == (True, "holiday", "every day at 10:00")


async def test_every_problem_is_told_at_its_place_and_nothing_is_written(each_acme: AsyncClient) -> None:
    text = "version: 1\nname: pong\nschedule: every blue moon\nstages:\n  - {id: a, uses: sett}\n"
    answer = await each_acme.put("/v1/actions/ping", content=text)
    places = [(one["where"], one["line"], one["column"]) for one in answer.json()["problems"]]
    assert places == [("name", 2, 7), ("schedule", 3, 17), ("stages.a.uses", 5, 19)]
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert (await each_acme.get("/v1/actions")).json()["items"] == []


async def test_a_date_in_the_past_is_refused_but_an_old_file_stays_acceptable(
    server: Server, acme: AsyncClient
) -> None:
    dated = PING + "schedule: 2026-03-02 09:00\n"
    assert await changes(acme, dated) == (201, "created", {"ping": "created"})
    server.clock.now = server.clock.now.replace(year=2027)
    assert await changes(acme, dated) == (200, "unchanged", {"ping": "unchanged"})
    answer = await acme.put("/v1/actions/ping", content=PING + "schedule: 2026-03-02 10:00\n")
    problem = answer.json()["problems"][0]
    assert problem == {
        "where": "schedule",
        "what": "lies in the past",
        "hint": "it is 2027-03-02T08:00:00Z now",
        "code": "past",
        "line": 7,
        "column": 11,
    }


async def test_a_schedule_that_stands_alone_is_not_taken_over(each_acme: AsyncClient) -> None:
    await each_acme.put("/v1/actions/ping", content=PING)
    await each_acme.put("/v1/schedules/ping", json={"action": "ping", "schedule": "every day at 09:00"})
    answer = await each_acme.put("/v1/actions/ping", content=EMBEDDED)
    assert answer.status_code == 409
    assert (await each_acme.get("/v1/actions/ping")).json()["version"] == 1


async def test_a_schedule_name_that_would_be_too_long_is_refused(acme: AsyncClient) -> None:
    long = TWO.replace("id: dawn", f"id: {'d' * 60}")
    answer = await acme.put("/v1/actions/ping", content=long)
    assert [one["where"] for one in answer.json()["problems"]] == [f"schedules.{'d' * 60}.id"]


async def test_uploads_of_one_new_name_at_once_leave_one_action(each_acme: AsyncClient) -> None:
    texts = [f"{EMBEDDED}description: number {number}\n" for number in range(8)]
    answers = await asyncio.gather(*[each_acme.put("/v1/actions/ping", content=text) for text in texts])
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(201) == 1
    assert set(statuses) <= {200, 201, 409}
    version = (await each_acme.get("/v1/actions/ping")).json()["version"]
    assert version == statuses.count(200) + 1


async def test_running_an_action_gives_a_trigger_that_is_due_now(each_acme: AsyncClient) -> None:
    await each_acme.put("/v1/actions/ping", content=PING)
    answer = await each_acme.post("/v1/actions/ping/run", json={"inputs": {"region": "us"}})
    shown = (await each_acme.get(f"/v1/triggers/{answer.json()['id']}")).json()
    assert answer.status_code == 202
    assert (shown["state"], shown["reason"], shown["due"], shown["inputs"], shown["stages"]) == (
        "scheduled",
        "manual",
        "2026-03-02T08:00:00Z",
        {"region": "us"},
        [],
    )


async def test_running_without_a_body_takes_the_defaults(acme: AsyncClient) -> None:
    await acme.put("/v1/actions/ping", content=PING)
    answer = await acme.post("/v1/actions/ping/run")
    assert (await acme.get(f"/v1/triggers/{answer.json()['id']}")).json()["inputs"] == {"region": "eu"}


@pytest.mark.parametrize(
    ("inputs", "where", "column"),
    [
        ('{"region": "mars"}', "inputs.region", 23),
        ('{"regoin": "eu"}', "inputs.regoin", 13),
        ('["eu"]', "inputs", 12),
    ],
)
async def test_inputs_that_do_not_fit_are_refused_at_their_place(
    acme: AsyncClient, inputs: str, where: str, column: int
) -> None:
    await acme.put("/v1/actions/ping", content=PING)
    answer = await acme.post("/v1/actions/ping/run", content=f'{{"inputs": {inputs}}}')
    assert [(one["where"], one["column"]) for one in answer.json()["problems"]] == [(where, column)]


async def test_an_unknown_action_cannot_be_run(acme: AsyncClient) -> None:
    assert (await acme.post("/v1/actions/nope/run")).status_code == 404


@pytest.mark.parametrize("text", [PING, "stages: []", "\0\1\2", "", "x" * 600_000, b"\xff\xfe", "[1, 2]"])
async def test_validating_answers_any_bytes_and_writes_nothing(acme: AsyncClient, text: str | bytes) -> None:
    answer = await acme.post("/v1/validate", content=text)
    verdict = answer.json()
    assert answer.status_code == 200
    assert verdict["valid"] == (text == PING) == (verdict["problems"] == [])
    assert (await acme.get("/v1/actions")).json() == {"items": []}


async def test_an_edit_must_not_break_a_schedule_that_stands_alone(acme: AsyncClient) -> None:
    await acme.put("/v1/actions/ping", content=PING)
    body = {"action": "ping", "schedule": "every day at 09:00", "inputs": {"region": "us"}}
    assert (await acme.put("/v1/schedules/early", json=body)).status_code == 201
    answer = await acme.put("/v1/actions/ping", content=PING.replace("[eu, us]", "[eu]"))
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "the schedule 'early' would no longer fit: inputs.region must be one of eu; "
        "change that schedule first, or keep the input",
    )
    assert (await acme.get("/v1/actions/ping")).json()["version"] == 1
