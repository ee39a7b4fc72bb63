from collections.abc import Iterator
from datetime import timedelta

import pytest
from pydantic import JsonValue, ValidationError

from activities.stages.exchange import LONGEST_RETRY_AFTER
from activities.stages.kind import Origin
from activities.stages.pagerduty import PAGERDUTY, PagerdutyConnection, PagerdutyWith, alert_of
from cronny.egress import EgressPolicy
from dsl.check import check_text
from tests.servers import pagerduty
from tests.servers.http import Reply
from tests.servers.pagerduty import ROUTING_KEY, Pagerduty
from tests.stages.contexts import brief, details, failure, run

KEY = "cronny/acme/fetch_orders"
LATE: dict[str, object] = {"summary": "late"}


@pytest.fixture
def service() -> Iterator[Pagerduty]:
    with pagerduty.running() as service:
        yield service


def oncall(service: Pagerduty) -> dict[str, str]:
    return {"routing_key": service.routing_key, "base_url": service.url}


async def test_an_alert_is_opened(service: Pagerduty) -> None:
    output = await run(PAGERDUTY, LATE, oncall(service))
    assert output == {"status": "success", "message": "Event processed", "dedup_key": KEY}
    assert service.events == [
        {
            "routing_key": ROUTING_KEY,
            "event_action": "trigger",
            "dedup_key": KEY,
            "client": "Cronny",
            "payload": {"summary": "late", "severity": "error", "source": "acme/fetch_orders"},
        }
    ]


async def test_every_field_is_sent(service: Pagerduty) -> None:
    payload: dict[str, JsonValue] = {
        "summary": "læte", "severity": "critical", "source": "db1", "timestamp": "2026-11-24T09:00:00Z",
        "component": "orders", "group": "shop", "class": "timeout", "custom_details": {"rows": [1, None]},
    }  # fmt: skip
    beside: dict[str, JsonValue] = {
        "images": [{"src": "https://example.com/a.png", "href": "https://example.com", "alt": "load"}],
        "links": [{"href": "https://example.com/runbook", "text": "what to do"}],
        "client": "Cronny in the shop",
        "client_url": "https://cronny.example.com",
        "dedup_key": "orders/late",
    }
    await run(PAGERDUTY, {**payload, **beside}, oncall(service))
    known = {"routing_key": ROUTING_KEY, "event_action": "trigger"}
    assert service.events == [{**known, **beside, "payload": payload}]


async def test_a_failure_that_goes_on_stays_one_alert_until_a_success(service: Pagerduty) -> None:
    for event in ("resolve", "trigger", "trigger", "acknowledge", "trigger", "resolve", "resolve", "trigger"):
        output = await run(PAGERDUTY, {**LATE, "event": event}, oncall(service))
        assert output["dedup_key"] == KEY
    seen = [(alert.status, [one["event_action"] for one in alert.events]) for alert in service.alerts]
    assert seen == [
        ("resolved", ["trigger", "trigger", "acknowledge", "trigger", "resolve"]),
        ("triggered", ["trigger"]),
    ]


@pytest.mark.parametrize("event", ["acknowledge", "resolve"])
async def test_an_alert_is_changed_by_its_key_alone(service: Pagerduty, event: str) -> None:
    fields = {**LATE, "links": [{"href": "https://example.com"}], "dedup_key": "orders", "event": event}
    await run(PAGERDUTY, fields, oncall(service))
    assert service.events == [{"routing_key": ROUTING_KEY, "event_action": event, "dedup_key": "orders"}]


async def test_every_attempt_is_about_the_same_alert(service: Pagerduty) -> None:
    for attempt in (1, 2):
        await run(PAGERDUTY, LATE, oncall(service), attempt=attempt)
    assert [len(alert.events) for alert in service.alerts] == [2]


@pytest.mark.parametrize(
    ("schedule", "key"), [("", KEY), ("fetch_orders", KEY), ("fetch_orders_eu", f"{KEY}/fetch_orders_eu")]
)
def test_an_action_has_one_alert_for_each_of_its_schedules(schedule: str, key: str) -> None:
    assert alert_of(Origin("acme", "fetch_orders", schedule, "trg_1", "page")) == key


def test_the_longest_names_make_a_key_that_pagerduty_takes() -> None:
    assert len(alert_of(Origin("t" * 63, "a" * 63, "s" * 63, "trg_1", "page"))) <= 255


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"summary": " "},
        {"event": "reopen"},
        {"severity": "fatal"},
        {"source": ""},
        {"dedup_key": ""},
        {"dedup_key": "x" * 256},
        {"timestamp": "yesterday"},
        {"timestamp": "2026-11-24T09:00:00"},
        {"timestamp": 1700000000},
        {"custom_details": "text"},
        {"images": [{"src": "http://example.com/a.png"}]},
        {"images": [{"alt": "no picture"}]},
        {"links": [{"href": ""}]},
        {"links": [{"url": "https://example.com"}]},
        {"routing_key": ROUTING_KEY},
    ],
    ids=str,
)
def test_fields_that_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PagerdutyWith.model_validate(({} if fields == {} else LATE) | fields)


def test_a_missing_summary_is_found_at_upload() -> None:
    stage = "{id: page, uses: pagerduty, connection: oncall, with: {severity: info}}"
    text = f"version: 1\nname: a\nstages:\n  - {stage}\n"
    (problem,) = check_text(text, {"pagerduty": PAGERDUTY}, {"oncall": "pagerduty"}).problems
    assert (problem.where, problem.what) == (
        "stages.page.with",
        "'summary' is required to trigger an alert",
    )


@pytest.mark.parametrize(("length", "kept"), [(1024, "x" * 1024), (1025, "x" * 1023 + "…")])
async def test_a_summary_is_cut_rather_than_nobody_told(service: Pagerduty, length: int, kept: str) -> None:
    log: list[str] = []
    await run(PAGERDUTY, {"summary": "x" * length}, oncall(service), log=log)
    assert service.alerts[0].events[0]["payload"]["summary"] == kept  # type: ignore[index,call-overload]
    assert log[:-1] == ([] if length == 1024 else ["the summary was cut from 1025 to 1024 characters"])


async def test_details_that_are_too_large_are_left_out(service: Pagerduty) -> None:
    log: list[str] = []
    await run(PAGERDUTY, {**LATE, "custom_details": {"body": "ä" * 300_000}}, oncall(service), log=log)
    (note,) = service.alerts[0].events[0]["payload"]["custom_details"].values()  # type: ignore[index,call-overload,union-attr]
    assert str(note).startswith("left out: the event had 600")
    assert log == [f"custom_details {note}", f"trigger {KEY}: 202"]


async def test_an_event_that_is_too_large_is_not_sent(service: Pagerduty) -> None:
    links = [{"href": "https://example.com/" + "x" * 600_000}]
    error = await failure(PAGERDUTY, {**LATE, "links": links}, oncall(service))
    assert (error.code, error.retryable, service.requests) == ("validation", False, [])
    assert error.message.startswith("the event has 600")


@pytest.mark.parametrize("value", [float("nan"), "\ud800"])
async def test_what_json_cannot_carry_is_not_sent(service: Pagerduty, value: object) -> None:
    error = await failure(PAGERDUTY, {**LATE, "custom_details": {"a": value}}, oncall(service))
    assert (error.code, error.retryable, service.requests) == ("validation", False, [])


async def test_a_wrong_routing_key_is_told_and_not_quoted(service: Pagerduty) -> None:
    error = await failure(PAGERDUTY, LATE, {**oncall(service), "routing_key": "s3cret" * 5 + "xx"})
    message = "PagerDuty answered 400: Event object is invalid; Invalid routing key"
    assert brief(error) == ("validation", message, False)
    assert "s3cret" not in f"{error!r} {error.details}"


async def test_an_answer_that_quotes_the_key_is_masked(service: Pagerduty) -> None:
    service.answer(400, {"message": f"no such key {ROUTING_KEY}"})
    error = await failure(PAGERDUTY, LATE, oncall(service))
    assert (error.message, details(error)["message"]) == (
        "PagerDuty answered 400: no such key ***",
        "no such key ***",
    )


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({}, timedelta(seconds=30)),
        ({"retry-after": "7"}, timedelta(seconds=7)),
        ({"retry-after": "999999999"}, LONGEST_RETRY_AFTER),
    ],
)
async def test_pagerduty_says_how_long_to_wait(
    service: Pagerduty, headers: dict[str, str], pause: timedelta
) -> None:
    service.answer(429, {"status": "throttle exceeded", "message": "too many"}, **headers)
    error = await failure(PAGERDUTY, LATE, oncall(service))
    assert brief(error) == ("rate_limited", "PagerDuty answered 429: too many", True)
    assert error.retry_after == pause


async def test_a_routing_key_takes_120_events_a_minute() -> None:
    now = 0.0
    with pagerduty.running(clock=lambda: now) as service:
        for _ in range(120):
            await run(PAGERDUTY, LATE, oncall(service))
        error = await failure(PAGERDUTY, LATE, oncall(service))
        now += 61
        await run(PAGERDUTY, LATE, oncall(service))
    assert (error.code, error.retry_after, len(service.events)) == (
        "rate_limited",
        timedelta(seconds=30),
        121,
    )


@pytest.mark.parametrize(
    ("reply", "code", "retryable"),
    [
        (Reply(400, b"<html>"), "validation", False),
        (Reply(401), "auth", False),
        (Reply(403), "auth", False),
        (Reply(404, b"<html>"), "validation", False),
        (Reply(302, headers={"location": "https://example.com"}), "validation", False),
        (Reply(413), "validation", False),
        (Reply(500, b"null", {"content-type": "application/json"}), "connection", True),
        (Reply(503, b"<html>busy</html>", {"retry-after": "9"}), "connection", True),
        (Reply(200, b"<html>log in to the wifi</html>"), "connection", True),
        (Reply(202), "connection", True),
        (Reply(raw=b"rubbish\r\n\r\n"), "connection", True),
        (Reply(is_silent=True), "timeout", True),
    ],
)
async def test_what_is_no_event_processed_is_a_typed_error(
    service: Pagerduty, reply: Reply, code: str, retryable: bool
) -> None:
    service.server.answer("/v2/enqueue", reply)
    limit = timedelta(milliseconds=100 if reply.is_silent else 5000)
    error = await failure(PAGERDUTY, LATE, oncall(service), timeout=limit)
    assert (error.code, error.retryable) == (code, retryable)
    assert error.retry_after == (timedelta(seconds=9) if reply.status == 503 else None)


async def test_a_closed_address_is_denied(service: Pagerduty) -> None:
    error = await failure(PAGERDUTY, LATE, oncall(service), egress=EgressPolicy())
    assert (error.code, service.requests) == ("egress_denied", [])


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"routing_key": "s3cret" * 5 + "é!"},
        {"routing_key": "s3cret"},
        {"routing_key": "s3cret" * 6},
        {"base_url": "events.pagerduty.com"},
    ],
)
def test_a_connection_that_is_refused_quotes_no_key(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        PagerdutyConnection.model_validate(fields)
    assert "s3cret" not in str(caught.value.errors(include_input=False))


def test_a_key_may_be_pasted_with_its_line_end() -> None:
    connection = PagerdutyConnection.model_validate({"routing_key": f" {ROUTING_KEY}\n"})
    assert connection.routing_key.get_secret_value() == ROUTING_KEY
