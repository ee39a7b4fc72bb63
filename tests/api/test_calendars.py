import asyncio
from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from tests.api.server import PING, Server

TEXT = "dates: [2026-03-03, {date: 2026-03-05, name: Feast}]"
ICAL = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260303\nSUMMARY:Out\nEND:VEVENT\nEND:VCALENDAR\n"
ENGLAND = "holidays: {country: GB, subdivision: ENG}"
DAILY = "every day at 09:00 except shut"


@pytest.fixture
async def daily(each_acme: AsyncClient) -> AsyncClient:
    """A tenant with a calendar `shut` and a schedule `daily` that leaves its dates out."""
    await each_acme.put("/v1/calendars/shut", content=TEXT)
    await each_acme.put("/v1/actions/ping", content=PING)
    answer = await each_acme.put("/v1/schedules/daily", json={"action": "ping", "schedule": DAILY})
    assert answer.status_code == 201, answer.text
    return each_acme


async def upcoming(client: AsyncClient, name: str, count: int = 3, after: str = "") -> list[str]:
    """The dates of the next fires on local clocks."""
    query = {"count": str(count), **({"after": after} if after else {})}
    answer = await client.get(f"/v1/schedules/{name}/upcoming", params=query)
    return [fire["local"][:10] for fire in answer.json()["fires"]]


async def ledger(client: AsyncClient) -> list[tuple[str, str, str]]:
    """Due, state and reason of every ledger row, the latest first."""
    rows = (await client.get("/v1/triggers")).json()["items"]
    return [(row["due"], row["state"], row["reason"]) for row in rows]


async def test_a_calendar_is_created_shown_and_listed(each_acme: AsyncClient) -> None:
    answer = await each_acme.put("/v1/calendars/shut", content=TEXT)
    shown = (await each_acme.get("/v1/calendars/shut")).json()
    assert (answer.status_code, answer.json()) == (201, shown)
    assert (shown["kind"], shown["source"], shown["revision"], shown["used_by"]) == ("dates", TEXT, 1, [])
    listed = {name: shown[name] for name in ("name", "kind", "revision", "created", "updated")}
    assert (await each_acme.get("/v1/calendars")).json()["items"] == [listed]


@pytest.mark.parametrize(
    ("text", "kind", "dates"),
    [
        (TEXT, "dates", [("2026-03-03", ""), ("2026-03-05", "Feast")]),
        ('{"dates": ["2026-03-03"]}', "dates", [("2026-03-03", "")]),
        (ICAL, "ical", [("2026-03-03", "Out")]),
        (ENGLAND, "holidays", [("2026-04-03", "Good Friday"), ("2026-04-06", "Easter Monday")]),
    ],
)
async def test_a_calendar_has_dates(
    each_acme: AsyncClient, text: str, kind: str, dates: list[tuple[str, str]]
) -> None:
    assert (await each_acme.put("/v1/calendars/shut", content=text)).json()["kind"] == kind
    found = (await each_acme.get("/v1/calendars/shut/dates?to=2026-04-30")).json()
    assert (found["first"], found["last"]) == ("2026-03-02", "2026-04-30")
    assert [(one["date"], one["name"]) for one in found["dates"]] == dates


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("from=2026-02-30", "query.from"),
        ("from=2026-03-02&to=2026-03-01", "query.to"),
        ("from=2026-03-02&to=2046-03-02", "query.to"),
        ("from=0001-01-01", "query.from"),
    ],
)
async def test_a_range_that_cannot_be_is_refused(acme: AsyncClient, query: str, where: str) -> None:
    await acme.put("/v1/calendars/shut", content=TEXT)
    answer = await acme.get(f"/v1/calendars/shut/dates?{query}")
    assert (answer.status_code, [one["where"] for one in answer.json()["problems"]]) == (422, [where])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("dates:\n- 2026-02-30", ("dates[0]", 2, 3)),
        ("holidays: {country: XX}", ("holidays.country", 1, 21)),
        (ICAL.replace("20260303", "soon"), ("VEVENT[0].DTSTART", 3, 1)),
        ("[", ("document", 2, 1)),
    ],
)
async def test_a_wrong_calendar_is_refused_at_its_place(
    acme: AsyncClient, text: str, place: tuple[str, int, int]
) -> None:
    answer = await acme.put("/v1/calendars/shut", content=text)
    assert answer.status_code == 422
    assert [(one["where"], one["line"], one["column"]) for one in answer.json()["problems"]] == [place]
    assert (await acme.get("/v1/calendars")).json() == {"items": []}


async def test_a_calendar_that_is_too_large_is_refused(acme: AsyncClient) -> None:
    answer = await acme.put("/v1/calendars/shut", content="BEGIN:VCALENDAR\n" + "X:1\n" * 250_000)
    assert (answer.status_code, answer.json()["detail"]) == (413, "the body is larger than 512 KiB")


async def test_a_rule_leaves_the_dates_of_a_calendar_out(daily: AsyncClient) -> None:
    assert await upcoming(daily, "daily") == ["2026-03-02", "2026-03-04", "2026-03-06"]
    assert (await daily.get("/v1/calendars/shut")).json()["used_by"] == ["daily"]


@pytest.mark.parametrize(
    ("rule", "dates"),
    [
        ({"every": "month", "on": "last day", "calendars": {"except": ["shut"], "roll": "previous"}},
         ["2026-11-30", "2026-12-31", "2027-01-29", "2027-02-26"]),
        ({"every": "month", "on": "25th", "calendars": {"except": ["shut"], "roll": "next"}},
         ["2026-11-25", "2026-12-29", "2027-01-25", "2027-02-25"]),
        ({"every": "month", "on": "last day",
          "calendars": {"except": ["shut"], "roll": "modified_following"}},
         ["2026-11-30", "2026-12-31", "2027-01-29", "2027-02-26"]),
        ({"every": "month", "on": "1st", "calendars": {"except": ["shut"]}},
         ["2026-12-01", "2027-02-01", "2027-03-01", "2027-04-01"]),
        ({"every": "day", "calendars": {"only": ["shut"]}},
         ["2026-12-25", "2026-12-26", "2026-12-28", "2027-01-01"]),
        ({"every": "day", "exclude": ["saturday", "sunday", "shut", "2026-11-10 to 2026-12-30"]},
         ["2026-12-31", "2027-01-04", "2027-01-05", "2027-01-06"]),
    ],
)  # fmt: skip
async def test_fires_roll_around_public_holidays(
    acme: AsyncClient, rule: dict[str, Any], dates: list[str]
) -> None:
    await acme.put("/v1/calendars/shut", content=ENGLAND)
    await acme.put("/v1/actions/ping", content=PING)
    schedule = {"timezone": "Europe/London", "at": "09:00", **rule}
    answer = await acme.put("/v1/schedules/monthly", json={"action": "ping", "schedule": schedule})
    assert answer.status_code == 201, answer.text
    assert await upcoming(acme, "monthly", 4, "2026-11-10T00:00:00Z") == dates


async def test_a_changed_calendar_changes_the_ledger_as_an_edit_does(
    each_server: Server, daily: AsyncClient
) -> None:
    each_server.clock.advance(timedelta(minutes=59, seconds=58))
    await each_server.allocate("acme", "daily")
    assert await ledger(daily) == [("2026-03-02T09:00:00Z", "scheduled", "")]
    await daily.put("/v1/calendars/shut", content="dates: [2026-03-02]")
    assert await ledger(daily) == [("2026-03-02T09:00:00Z", "skipped", "superseded")]
    await each_server.allocate("acme", "daily")
    assert await ledger(daily) == [("2026-03-02T09:00:00Z", "skipped", "superseded")]
    assert await upcoming(daily, "daily", 1) == ["2026-03-03"]


async def test_fires_that_a_changed_calendar_leaves_are_allocated_again(
    each_server: Server, daily: AsyncClient
) -> None:
    each_server.clock.advance(timedelta(minutes=59, seconds=58))
    await each_server.allocate("acme", "daily")
    await daily.put("/v1/calendars/shut", content="dates: [2026-03-03]")
    await each_server.allocate("acme", "daily")
    assert await ledger(daily) == [("2026-03-02T09:00:00Z", "scheduled", "")]


@pytest.mark.parametrize(
    ("text", "revision", "generation"),
    [
        (TEXT, 1, 1),
        (TEXT + "  # since 2025", 2, 1),
        ("dates: [2026-03-03]", 2, 2),
    ],
)
async def test_only_other_dates_start_a_generation(
    daily: AsyncClient, text: str, revision: int, generation: int
) -> None:
    answer = await daily.put("/v1/calendars/shut", content=text)
    row = (await daily.get("/v1/schedules/daily")).json()
    assert (answer.status_code, answer.json()["revision"], row["generation"]) == (200, revision, generation)


async def test_a_changed_calendar_is_an_event_of_its_schedules(
    each_server: Server, daily: AsyncClient
) -> None:
    each_server.clock.advance(timedelta(seconds=1))
    await daily.put("/v1/calendars/shut", content="dates: [2026-03-03]")
    events = (await daily.get("/v1/events")).json()["items"]
    assert [(one["kind"], one["schedule"], one["note"]) for one in events[:2]] == [
        ("schedule_changed", "daily", "calendar 'shut' changed"),
        ("calendar_saved", None, ""),
    ]


async def test_a_calendar_in_use_stays(daily: AsyncClient) -> None:
    answer = await daily.delete("/v1/calendars/shut")
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "the calendar 'shut' cannot be deleted: it is used by 'daily'",
    )
    await daily.delete("/v1/schedules/daily")
    assert (await daily.delete("/v1/calendars/shut")).status_code == 204
    assert (await daily.get("/v1/calendars/shut")).status_code == 404


async def test_a_calendar_that_a_rule_names_no_longer_may_go(daily: AsyncClient) -> None:
    await daily.put("/v1/schedules/daily", json={"action": "ping", "schedule": "every day at 09:00"})
    assert (await daily.delete("/v1/calendars/shut")).status_code == 204


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ("every day at 09:00 except shutt", ("schedule", 2, 37)),
        ("{every: day, exclude: [2026-03-03, shutt]}", ("schedule.exclude[1]", 2, 46)),
        ("{every: day, calendars: {only: [shutt]}}", ("schedule.calendars.only[0]", 2, 43)),
        ("{every: day, calendars: {except: shutt}}", ("schedule.calendars.except", 2, 44)),
    ],
)
async def test_an_unknown_calendar_is_refused_where_it_is_named(
    daily: AsyncClient, rule: str, place: tuple[str, int, int]
) -> None:
    answer = await daily.put("/v1/schedules/new", content=f"action: ping\nschedule: {rule}\n")
    (problem,) = answer.json()["problems"]
    assert (problem["where"], problem["line"], problem["column"]) == place
    assert (problem["what"], problem["hint"], problem["code"]) == (
        "there is no calendar 'shutt'", "did you mean 'shut'?", "unknown_calendar",
    )  # fmt: skip


async def test_an_action_with_an_unknown_calendar_is_refused(daily: AsyncClient) -> None:
    text = f"{PING}schedule: every day except no_work\n"
    answers = [
        await daily.put("/v1/actions/ping", content=text),
        await daily.post("/v1/validate", content=text),
    ]
    found = [[(one["where"], one["what"]) for one in answer.json()["problems"]] for answer in answers]
    assert found == [[("schedule", "there is no calendar 'no_work'")]] * 2


async def test_a_schedule_in_an_action_follows_its_calendar(daily: AsyncClient) -> None:
    await daily.put("/v1/actions/ping", content=f"{PING}schedule: every day at 09:00 except shut\n")
    shown = (await daily.put("/v1/calendars/shut", content="dates: [2026-03-02]")).json()
    assert shown["used_by"] == ["daily", "ping"]
    assert await upcoming(daily, "ping", 2) == ["2026-03-03", "2026-03-04"]


async def test_a_rule_that_a_calendar_leaves_no_fire_is_refused(daily: AsyncClient) -> None:
    rule = {"at": "2026-03-03 09:00", "exclude": ["shut"]}
    answer = await daily.put("/v1/schedules/new", json={"action": "ping", "schedule": rule})
    assert (answer.status_code, [one["code"] for one in answer.json()["problems"]]) == (422, ["never_fires"])


async def test_a_preview_knows_the_calendars(daily: AsyncClient) -> None:
    answer = await daily.post("/v1/schedules/preview", json={"schedule": DAILY, "name": "daily"})
    assert answer.status_code == 200, answer.text
    assert [fire["due"][:10] for fire in answer.json()["fires"][:2]] == ["2026-03-02", "2026-03-04"]
    assert answer.json()["changes"]["added"]["count"] == 0


async def test_calendars_of_another_tenant_are_not_there(each_server: Server, daily: AsyncClient) -> None:
    async with await each_server.tenant("other") as other:
        await other.put("/v1/actions/ping", content=PING)
        answer = await other.put("/v1/schedules/daily", json={"action": "ping", "schedule": DAILY})
        assert answer.status_code == 422
        assert (await other.get("/v1/calendars")).json() == {"items": []}
        assert {
            (await other.request(method, "/v1/calendars/shut")).status_code for method in ("GET", "DELETE")
        } == {404}


async def test_writes_of_a_calendar_and_of_its_schedules_do_not_block_one_another(daily: AsyncClient) -> None:
    async def write(number: int) -> int:
        rule = f"every day at 09:{number:02} except shut"
        if number % 2:
            answer = await daily.put("/v1/schedules/daily", json={"action": "ping", "schedule": rule})
        else:
            answer = await daily.put("/v1/calendars/shut", content=f"dates: [2026-03-{number + 3:02}]")
        return answer.status_code

    assert set(await asyncio.gather(*[write(number) for number in range(10)])) == {200}


async def test_a_schedule_and_the_end_of_its_calendar_do_not_both_succeed(each_acme: AsyncClient) -> None:
    await each_acme.put("/v1/actions/ping", content=PING)
    for _ in range(5):
        await each_acme.put("/v1/calendars/shut", content=TEXT)
        saved, ended = await asyncio.gather(
            each_acme.put("/v1/schedules/daily", json={"action": "ping", "schedule": DAILY}),
            each_acme.delete("/v1/calendars/shut"),
        )
        assert {saved.status_code < 300, ended.status_code < 300} == {True, False}
        await each_acme.delete("/v1/schedules/daily")


async def test_why_knows_the_calendars(each_server: Server, daily: AsyncClient) -> None:
    await daily.put("/v1/calendars/gone", content=TEXT)
    await daily.put("/v1/schedules/daily", json={"action": "ping", "schedule": "every day except gone"})
    each_server.clock.advance(timedelta(seconds=1))
    await daily.put("/v1/schedules/daily", json={"action": "ping", "schedule": DAILY})
    await daily.delete("/v1/calendars/gone")
    answer = (await daily.get("/v1/schedules/daily/why?at=2026-03-05T09:00:00Z")).json()
    assert "excluded by calendar shut: the day is in it" in str(answer)
