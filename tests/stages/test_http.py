from datetime import timedelta

import pytest
from pydantic import ValidationError

from activities.stages.http import HTTP, HttpWith
from tests.servers.http import Reply, Server, json_reply
from tests.stages.contexts import brief, details, failure, run


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "get"])
async def test_every_method_is_sent(server: Server, method: str) -> None:
    await run(HTTP, {"url": server.url, "method": method})
    assert server.requests[0].method == method.upper()


async def test_the_output_is_the_whole_response(server: Server) -> None:
    server.answer("/orders", json_reply({"orders": [1]}, 201, **{"X-Total": "1"}))
    output = await run(HTTP, {"url": f"{server.url}/orders"})
    headers = output.pop("headers")
    assert headers["x-total"] == "1"
    assert output.pop("elapsed_ms") >= 0
    assert output == {"status": 201, "body": {"orders": [1]}, "url": f"{server.url}/orders"}


@pytest.mark.parametrize("status", [200, 204, 302, 304, 404, 418, 500, 599])
async def test_a_response_of_any_status_is_a_success(server: Server, status: int) -> None:
    server.answer("/", Reply(status, headers={"location": "/elsewhere"} if status == 302 else {}))
    assert (await run(HTTP, {"url": server.url}))["status"] == status


async def test_headers_and_query_are_sent_as_texts(server: Server) -> None:
    fields = {
        "url": f"{server.url}/find?a=1",
        "headers": {"X-Count": 3, "X-Dry": True},
        "query": {"q": "a b&c", "tag": ["x", 2, True], "none": None},
    }
    await run(HTTP, fields)
    request = server.requests[0]
    assert request.query == [("a", "1"), ("q", "a b&c"), ("tag", "x"), ("tag", "2"), ("tag", "true")]
    assert (request.headers["x-count"], request.headers["x-dry"]) == ("3", "true")


@pytest.mark.parametrize(
    ("fields", "content_type", "body"),
    [
        ({"json": {"ä": [1, None]}}, "application/json", '{"ä": [1, null]}'),
        ({"json": None}, "application/json", "null"),
        ({"form": {"a": "x y", "b": True}}, "application/x-www-form-urlencoded", "a=x+y&b=true"),
        ({"body": "<ä/>"}, "text/plain; charset=utf-8", "<ä/>"),
        ({"body": "<a/>", "headers": {"Content-Type": "text/xml"}}, "text/xml", "<a/>"),
    ],
)
async def test_bodies(server: Server, fields: dict[str, object], content_type: str, body: str) -> None:
    await run(HTTP, {"url": server.url, "method": "POST", **fields})
    request = server.requests[0]
    assert (request.headers["content-type"], request.body.decode()) == (content_type, body)


@pytest.mark.parametrize(
    "fields",
    [
        {"json": 1, "body": "x"},
        {"form": {}, "body": "x"},
        {"method": "TRACE"},
        {"method": "CONNECT"},
        {"expect_status": 99},
        {"expect_status": "6xx"},
        {"expect_status": []},
        {"expect_status": True},
        {"max_bytes": 16_000_001},
        {"timeout": "5s"},
    ],
)
def test_fields_that_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        HttpWith.model_validate({"url": "https://example.com", **fields})


@pytest.mark.parametrize(
    ("expected", "status"),
    [(200, 200), ("200", 200), ("2xx", 299), ([404, "2xx"], 404), ([404, "2xx"], 204), (None, 500)],
)
async def test_an_expected_status_is_a_success(server: Server, expected: object, status: int) -> None:
    server.answer("/", Reply(status))
    assert (await run(HTTP, {"url": server.url, "expect_status": expected}))["status"] == status


@pytest.mark.parametrize(
    ("expected", "status", "retryable"),
    [("2xx", 500, True), (200, 201, False), ([200, "3xx"], 404, False), ("2xx", 429, True)],
)
async def test_another_status_is_a_typed_error(
    server: Server, expected: object, status: int, retryable: bool
) -> None:
    server.answer("/x", json_reply({"why": "?"}, status))
    error = await failure(HTTP, {"url": f"{server.url}/x?key=s3cret", "expect_status": expected})
    assert brief(error) == ("http.status", f"GET {server.url}/x answered {status}", retryable)
    assert (details(error)["status"], details(error)["body"]) == (status, {"why": "?"})


@pytest.mark.parametrize(
    ("text", "delay"),
    [
        ("120", timedelta(minutes=2)),
        ("999999999999", timedelta(days=1)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", timedelta()),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
async def test_retry_after_is_read(server: Server, text: str, delay: timedelta | None) -> None:
    server.answer("/", Reply(503, headers={"retry-after": text}))
    error = await failure(HTTP, {"url": server.url, "expect_status": 200})
    assert error.retry_after == delay


async def test_every_attempt_carries_the_same_idempotency_key(server: Server) -> None:
    for attempt in (1, 2):
        await run(HTTP, {"url": server.url, "method": "POST"}, attempt=attempt)
    assert [request.headers["idempotency-key"] for request in server.requests] == ["trg_1/fetch"] * 2


@pytest.mark.parametrize(
    "header",
    ["Host", "Content-Length", "Transfer-Encoding", "connection", "TE", "Trailer", "Upgrade", "Expect"],
)
async def test_headers_that_frame_the_message_are_refused(server: Server, header: str) -> None:
    error = await failure(HTTP, {"url": server.url, "headers": {header: "1"}})
    assert brief(error) == ("validation", f"the header {header.lower()} cannot be set", False)
    assert server.requests == []


@pytest.mark.parametrize("headers", [{"X": "a\r\nEvil: 1"}, {"X": "a\0b"}, {"bad name": "x"}, {"X": "é\n"}])
async def test_headers_that_are_no_http_are_refused(server: Server, headers: dict[str, str]) -> None:
    error = await failure(HTTP, {"url": server.url, "headers": headers})
    assert (error.code, error.retryable, server.requests) == ("validation", False, [])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://example.com",
        "file:///etc/passwd",
        "//example.com",
        "example.com",
        "http://",
        "http://user:pw@example.com",
        "http://[::1",
        "http://h:99999",
        "http://h:0",
        "http://h\n",
        "http://\ud800/",
        "javascript:alert(1)",
    ],
)
async def test_what_is_no_web_address_is_refused(url: str) -> None:
    error = await failure(HTTP, {"url": url})
    assert (error.code, error.retryable) == ("validation", False)


@pytest.mark.parametrize("value", [float("nan"), "\ud800"])
async def test_json_that_cannot_be_sent_is_refused(server: Server, value: object) -> None:
    error = await failure(HTTP, {"url": server.url, "method": "POST", "json": value})
    assert (error.code, error.retryable) == ("validation", False)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_no_proxy_is_found_in_the_environment(
    server: Server, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await run(HTTP, {"url": server.url}))["status"] == 404


async def test_a_header_value_may_be_empty_and_the_log_names_no_path(server: Server) -> None:
    log: list[str] = []
    await run(HTTP, {"url": f"{server.url}/secret-path?key=1", "headers": {"X-Empty": ""}}, log=log)
    assert log == ["GET 127.0.0.1: 404, 25 bytes"]
