import json

import pytest
from httpx import AsyncClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsl.document import MAX_BYTES
from tests.api.server import PING

PUTS = ["actions/ping", "schedules/daily", "connections/team"]
BODIES = [
    *[f"PUT {path}" for path in PUTS],
    "POST actions/ping/run",
    "POST schedules/daily/pause",
    "POST schedules/daily/trigger",
]
RUBBISH: list[bytes] = [
    b"\x00",
    b"\xff\xfe\xfd",
    b"\x80abc",
    b"{",
    b"%%%",
    b"[[[[",
    b"- 1",
    b"null",
    b"1e999",
    b"a: &a [*a]",
    b"!!python/object:os.system x",
    b"{" * 10_000,
    b"9" * 5000,
    b'{"name": "\\ud800", "inputs": {"\\udfff": "\\ud800"}, "note": "\\ud800"}',
    b'{"note": "\\u0000", "action": "\\u0000", "kind": "\\u0000", "inputs": {"\\u0000": 1}}',
    b"{action: ping, schedule: 2026-13-45 99:99}",
    b"{action: ping, schedule: {every: 999999999999 days}}",
    b"{action: ping, schedule: every 9999999999999999999999 years}",
    b"{action: ping, schedule: in 99999999999999 hours}",
    b"{action: ping, schedule: 9999-12-31 23:59 Pacific/Kiritimati}",
    b"{action: ping, schedule: 0001-01-01 00:00 Asia/Tokyo}",
    b"{action: ping, schedule: {every: day, at: '09:00', start: 9999-12-31, timezone: Etc/GMT+12}}",
    b"{action: ping, schedule: {every: day, at: '09:00', end: 0001-01-01}}",
    b"{action: ping, schedule: {every: day, at: '09:00', timezone: ../../etc/passwd}}",
    b'{action: ping, schedule: {every: day, at: "09:00", timezone: "\\0"}}',
    b"{kind: postgres, settings: {port: -1, host: 5, password: [1]}}",
]


@pytest.fixture
async def prepared(each_acme: AsyncClient) -> AsyncClient:
    """A tenant with an action and a schedule."""
    await each_acme.put("/v1/actions/ping", content=PING)
    await each_acme.put("/v1/schedules/daily", content="{action: ping, schedule: every day at 09:00}")
    return each_acme


@pytest.mark.parametrize("endpoint", BODIES)
async def test_rubbish_is_refused_with_problems(prepared: AsyncClient, endpoint: str) -> None:
    method, path = endpoint.split()
    answers = [await prepared.request(method, f"/v1/{path}", content=raw) for raw in RUBBISH]
    found = [
        (raw, one.status_code) for raw, one in zip(RUBBISH, answers, strict=True) if one.status_code != 422
    ]
    assert found == []
    assert all(one["what"] for answer in answers for one in answer.json()["problems"])


@pytest.mark.parametrize("endpoint", BODIES)
@pytest.mark.parametrize("size", [MAX_BYTES + 1, 1 << 20])
async def test_a_body_that_is_too_large_is_refused(acme: AsyncClient, endpoint: str, size: int) -> None:
    method, path = endpoint.split()
    answer = await acme.request(method, f"/v1/{path}", content=b"#" * size)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("path", PUTS)
@pytest.mark.parametrize(
    "content_type", ["text/html", "multipart/form-data", "", "application/json; charset=x"]
)
async def test_the_content_type_does_not_matter(acme: AsyncClient, path: str, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    answer = await acme.put(f"/v1/{path}", content="nothing: good", headers=headers)
    assert answer.status_code == 422


@pytest.mark.parametrize("noun", ["actions", "schedules", "connections"])
@pytest.mark.parametrize("name", ["Ping", "9ping", "a" * 64, "a b", "%00", "ping%0A", "a.b", "%F0%9F", "é"])
async def test_what_is_no_name_cannot_be_given_and_names_nothing(
    acme: AsyncClient, noun: str, name: str
) -> None:
    given, found = await acme.put(f"/v1/{noun}/{name}", content=PING), await acme.get(f"/v1/{noun}/{name}")
    assert (given.status_code, found.status_code) == (422, 404)


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/actions/", "/v1/nouns", "/v1/actions/..%2Fx", "/v1/actions/%2e%2e%2fx", "/v2/x"]
)
async def test_an_unknown_route_is_a_problem_document(acme: AsyncClient, path: str) -> None:
    answer = await acme.put(path, content=PING)
    assert (answer.status_code, answer.json()["code"], answer.headers["content-type"]) == (
        404,
        "not_found",
        "application/problem+json",
    )


async def test_a_wrong_method_says_which_are_right(acme: AsyncClient) -> None:
    answer = await acme.patch("/v1/actions/ping")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"]


@pytest.mark.parametrize(
    "query",
    [
        {"count": "0"},
        {"count": "201"},
        {"count": "NaN"},
        {"after": "yesterday"},
        {"after": "2026-01-01T00:00:00"},
        {"after": "0001-01-01T00:00:00+14:00"},
        {"after": "9999-12-31T23:59:59-12:00"},
        {"after": "99999999999999999999"},
        {"after": "2026-02-30T00:00:00Z"},
    ],
)
async def test_a_wrong_question_for_fires_is_refused(prepared: AsyncClient, query: dict[str, str]) -> None:
    answer = await prepared.get("/v1/schedules/daily/upcoming", params=query)
    assert answer.status_code == 422
    assert [one["where"] for one in answer.json()["problems"]] == [f"query.{name}" for name in query]


async def test_odd_characters_come_back_as_they_were(each_acme: AsyncClient) -> None:
    values = {"nul": "a\0b", "smile": "\U0001f600", "separator": "\u2028"}
    stages = [{"id": "mark", "uses": "set", "with": {"values": values}}]
    body = json.dumps({"version": 1, "name": "ping", "stages": stages})
    answer = await each_acme.put("/v1/actions/ping", content=body)
    assert answer.status_code == 201, answer.text
    shown = (await each_acme.get("/v1/actions/ping")).json()
    assert shown["action"]["stages"][0]["with"]["values"] == values
    assert shown["source"] == body


WORDS = """
    version name stages schedule schedules inputs connectors outputs id uses with when retry timeout
    connection from to on map every at timezone start end action paused kind settings token host note
"""
FIELDS = st.sampled_from(WORDS.split())
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["ping", "set", "slack", "postgres", "every day at 09:00", "${{ 1/0 }}", "${{ inputs.", "\0"]
    ),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(FIELDS, inner, max_size=6)),
    max_leaves=25,
)
TEXTS = st.one_of(
    st.dictionaries(FIELDS, VALUES, max_size=8).map(json.dumps),
    VALUES.map(json.dumps),
    st.binary(max_size=200),
    st.text(max_size=100).map(lambda text: f"name: ping\nschedule: {text}\nstages: []"),
)


@pytest.mark.parametrize("endpoint", [*BODIES, "POST validate"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=TEXTS)
async def test_no_body_whatever_is_a_fault_of_ours(
    acme: AsyncClient, endpoint: str, body: str | bytes
) -> None:
    method, path = endpoint.split()
    await acme.put("/v1/actions/ping", content=PING)
    answer = await acme.request(method, f"/v1/{path}", content=body)
    assert answer.status_code < 500, answer.text
