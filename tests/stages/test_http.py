from datetime import timedelta
from email import message_from_bytes
from email.message import Message

import pytest
from pydantic import JsonValue, ValidationError

from activities.stages.http import HTTP, HttpWith
from dsl.shapes import mistakes_of
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


@pytest.mark.parametrize(
    ("body", "content_type", "sent"),
    [
        ({"base64": "AP8="}, "application/octet-stream", b"\x00\xff"),
        ({"base64": ""}, "application/octet-stream", b""),
        ("", "text/plain; charset=utf-8", b""),
    ],
)
async def test_a_body_of_bytes_is_sent(server: Server, body: object, content_type: str, sent: bytes) -> None:
    await run(HTTP, {"url": server.url, "method": "PUT", "body": body})
    request = server.requests[0]
    assert (request.headers["content-type"], request.body) == (content_type, sent)


async def test_bytes_that_were_fetched_can_be_sent_on(server: Server) -> None:
    server.answer("/", Reply(body=b"\x89PNG\xff", headers={"content-type": "image/png"}))
    output = await run(HTTP, {"url": server.url})
    await run(HTTP, {"url": server.url, "method": "PUT", "body": output["body"]})
    assert server.requests[1].body == b"\x89PNG\xff"


async def test_a_form_repeats_lists_and_leaves_out_nothing(server: Server) -> None:
    form = {"tag": ["x", 2, True], "none": None, "a b": "ä&="}
    await run(HTTP, {"url": server.url, "method": "POST", "form": form})
    assert server.requests[0].body == b"tag=x&tag=2&tag=true&a+b=%C3%A4%26%3D"


async def test_a_form_with_files_is_sent(server: Server) -> None:
    multipart = {
        "note": "hällo",
        "count": 2,
        "report": {"filename": 'a"b.csv', "text": "x;ä"},
        "picture": {"filename": "p.bin", "base64": "AP8=", "content_type": "image/x-test"},
    }
    await run(HTTP, {"url": server.url, "method": "POST", "multipart": multipart})
    request = server.requests[0]
    message = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode() + request.body
    parts = message_from_bytes(message).get_payload()
    assert [_part(part) for part in parts if isinstance(part, Message)] == [
        ("note", None, "text/plain", "hällo".encode()),
        ("count", None, "text/plain", b"2"),
        ("report", "a%22b.csv", "text/csv", "x;ä".encode()),
        ("picture", "p.bin", "image/x-test", b"\x00\xff"),
    ]


def _part(part: Message) -> tuple[object, ...]:
    name = part.get_param("name", header="content-disposition")
    return name, part.get_filename(), part.get_content_type(), part.get_payload(decode=True)


@pytest.mark.parametrize(
    "fields",
    [
        {"multipart": {}, "form": {}},
        {"multipart": {"a": {"text": "x"}}},
        {"multipart": {"a": {"filename": "f"}}},
        {"multipart": {"a": {"filename": "f", "text": "x", "base64": ""}}},
        {"multipart": {"a": {"filename": "f", "text": "x", "content_type": "a\r\nb: c"}}},
        {"body": {"base64": "no!"}},
        {"body": {"base64": "é"}},
        {"body": {}},
        {"body": ["x"]},
        {"response_as": "xml"},
        {"expect_status": "204-200"},
        {"expect_status": "200-"},
        {"expect_status": "2xx-3xx"},
        {"expect_status": "200-600"},
        {"expect_status": "2x"},
    ],
    ids=str,
)
def test_bodies_and_statuses_that_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        HttpWith.model_validate({"url": "https://example.com", **fields})


@pytest.mark.parametrize(
    ("expected", "status", "is_expected"),
    [
        ("200-204", 204, True),
        ("200-204", 205, False),
        ("400-400", 400, True),
        ([404, "200-299"], 299, True),
        (["5xx"], 599, True),
        (["5xx"], 499, False),
    ],
)
async def test_statuses_are_expected_by_range(
    server: Server, expected: object, status: int, is_expected: bool
) -> None:
    server.answer("/", Reply(status))
    fields = {"url": server.url, "expect_status": expected}
    if is_expected:
        assert (await run(HTTP, fields))["status"] == status
    else:
        assert (await failure(HTTP, fields)).code == "http.status"


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("form", "reply", "body"),
    [
        ("auto", Reply(body=b"[1]", headers=JSON), [1]),
        ("json", Reply(body=b'{"a": 1}', headers={"content-type": "text/plain"}), {"a": 1}),
        ("json", Reply(), None),
        ("text", Reply(body=b"[1]", headers=JSON), "[1]"),
        ("text", Reply(body=b"a\xff", headers={"content-type": "image/png"}), "a\ufffd"),
        ("text", Reply(body=b"\xe4", headers={"content-type": "text/plain; charset=latin-1"}), "ä"),
        ("binary", Reply(body=b"[1]", headers=JSON), {"base64": "WzFd"}),
        ("binary", Reply(), None),
    ],
)
async def test_the_body_is_given_in_the_form_that_is_asked_for(
    server: Server, form: str, reply: Reply, body: object
) -> None:
    server.answer("/", reply)
    assert (await run(HTTP, {"url": server.url, "response_as": form}))["body"] == body


async def test_what_is_to_be_json_and_is_not_fails(server: Server) -> None:
    server.answer("/", Reply(body=b"<html>", headers=JSON))
    error = await failure(HTTP, {"url": server.url, "response_as": "json"})
    assert brief(error) == ("validation", "the body of the response is not JSON", False)


async def test_an_unexpected_status_is_told_before_the_form_of_its_body(server: Server) -> None:
    server.answer("/", Reply(502, b"<html>"))
    error = await failure(HTTP, {"url": server.url, "response_as": "json", "expect_status": 200})
    assert (error.code, details(error)["body"]) == ("http.status", "<html>")


async def test_an_idempotency_key_of_ones_own_is_kept(server: Server) -> None:
    await run(HTTP, {"url": server.url, "headers": {"Idempotency-Key": "mine"}})
    assert server.requests[0].headers["idempotency-key"] == "mine"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "x", "body": {"base64": "no!"}}, "with.body.base64: is not base64"),
        ({"url": "x", "body": {"a": 1}}, "with.body: 'base64' is required"),
        (
            {"url": 3, "expect_status": [1]},
            "with.url: must be a text (put it in quotes); with.expect_status.0: ",
        ),
    ],
)
def test_what_an_expression_gave_that_does_not_fit_says_where(
    fields: dict[str, JsonValue], said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        HttpWith.model_validate(fields)
    assert said in mistakes_of(HttpWith, fields, caught.value, ("with",))
