"""Calls of webhooks: what they trigger, and what is refused."""

import asyncio
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from httpx import AsyncClient, Response

from dsl.document import MAX_BYTES
from tests.api.server import Server

ACTION = """version: 1
name: build
inputs:
  ref: {type: string, required: true}
  number: {type: integer, default: 0}
  all: {type: object}
  region: {type: string, enum: [eu, us], default: eu}
stages: [{id: a, uses: set, with: {values: {ref: "${{ inputs.ref }}"}}}]
"""
BODY = b'{"ref": "main", "number": 7, "repository": {"name": "x"}}'
SECRET = "a-secret-of-both-sides"
STANDARD = "whsec_" + b64encode(b"a-secret-of-both-sides").decode()
FORM = "application/x-www-form-urlencoded"


@dataclass
class Caller:
    """A program that knows a webhook's URL and no API key."""

    server: Server
    url: str

    async def send(
        self, content: bytes = BODY, headers: Mapping[str, Any] | None = None, url: str | None = None
    ) -> Response:
        async with self.server.client() as client:
            given = {"content-type": "application/json", **(headers or {})}
            return await client.post(url or self.url, content=content, headers=given)


async def make(acme: AsyncClient, server: Server, **settings: Any) -> Caller:
    """A webhook of the action `build`."""
    assert (await acme.put("/v1/actions/build", content=ACTION)).is_success
    answer = await acme.put("/v1/webhooks/push", json={"action": "build", **settings})
    assert answer.status_code == 201, answer.text
    return Caller(server, answer.json()["url"].removeprefix("http://127.0.0.1:8080"))


async def triggers(acme: AsyncClient) -> list[dict[str, Any]]:
    listed = (await acme.get("/v1/triggers")).json()["items"]
    return [(await acme.get(f"/v1/triggers/{one['id']}")).json() for one in listed]


def signed(scheme: str, server: Server, body: bytes = BODY, ago: timedelta = timedelta()) -> dict[str, str]:
    """The headers with which a sender signs."""
    time = int((server.clock() - ago).timestamp())

    def mac(text: bytes, key: bytes = SECRET.encode()) -> bytes:
        return hmac.digest(key, text, sha256)

    match scheme:
        case "github":
            return {"x-hub-signature-256": f"sha256={mac(body).hex()}"}
        case "stripe":
            return {"stripe-signature": f"t={time},v1=00ff,v1={mac(b'%d.' % time + body).hex()},v0=1"}
        case "slack":
            digest = mac(b"v0:%d:" % time + body).hex()
            return {"x-slack-request-timestamp": str(time), "x-slack-signature": f"v0={digest}"}
    key = b64decode(STANDARD.removeprefix("whsec_"))
    digest = b64encode(mac(b"msg_1.%d." % time + body, key)).decode()
    sent = {"webhook-id": "msg_1", "webhook-timestamp": str(time)}
    return {**sent, "webhook-signature": f"v1,AAAA v1,{digest} v1a,x"}


SCHEMES = ("github", "stripe", "slack", "standard")
TIMED = SCHEMES[1:]


def signature(scheme: str) -> dict[str, Any]:
    return {"scheme": scheme, "secret": STANDARD if scheme == "standard" else SECRET}


async def test_a_call_triggers_the_action_with_the_fields_it_declares(
    each_acme: AsyncClient, each_server: Server
) -> None:
    answer = await (await make(each_acme, each_server)).send()
    (trigger,) = await triggers(each_acme)
    assert (answer.status_code, answer.json()) == (202, {"trigger": trigger["id"], "replayed": False})
    assert trigger["inputs"] == {"ref": "main", "number": 7, "all": None, "region": "eu"}
    assert (trigger["webhook"], trigger["reason"], trigger["schedule"]) == ("push", "webhook", None)
    (event, *_) = (await each_acme.get("/v1/events", params={"trigger": trigger["id"]})).json()["items"]
    assert (event["kind"], event["actor"]) == ("trigger_requested", "webhook push")


async def test_what_the_webhook_sets_the_sender_cannot_change(acme: AsyncClient, server: Server) -> None:
    caller = await make(acme, server, inputs={"region": "us"})
    await caller.send(b'{"ref": "main", "region": "eu"}')
    assert (await triggers(acme))[0]["inputs"]["region"] == "us"


async def test_the_whole_body_can_be_one_input(acme: AsyncClient, server: Server) -> None:
    caller = await make(acme, server, payload="all", inputs={"ref": "x"})
    await caller.send(b'{"any": [1, {"thing": null}]}')
    assert (await triggers(acme))[0]["inputs"]["all"] == {"any": [1, {"thing": None}]}


async def test_a_form_is_read_as_the_inputs_want_it(acme: AsyncClient, server: Server) -> None:
    caller = await make(acme, server)
    answer = await caller.send(b"ref=1&number=12&all=%7B%22a%22%3A+1%7D&more=x", {"content-type": FORM})
    assert answer.status_code == 202, answer.text
    found = (await triggers(acme))[0]["inputs"]
    assert found == {"ref": "1", "number": 12, "all": {"a": 1}, "region": "eu"}


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b'{"number": 1}', "application/json", 422, "invalid"),
        (b'{"ref": 1}', "application/json", 422, "invalid"),
        (b"[1]", "application/json", 422, "invalid"),
        (b"{", "application/json", 422, "invalid"),
        (b'{"ref": NaN}', "application/json", 422, "invalid"),
        (b"\xff", "application/json", 422, "invalid"),
        (b"[" * 100_000, "application/json", 422, "invalid"),
        (b"9" * 5000, "application/json", 422, "invalid"),
        (b"\xff=%ff", FORM, 422, "invalid"),
        (b"&".join([b"a=1"] * 2000), FORM, 422, "invalid"),
        (b"<xml/>", "text/xml", 415, "unsupported_media_type"),
        (b" " * (MAX_BYTES + 1), "application/json", 413, "too_large"),
    ],
)
async def test_what_cannot_be_taken_is_refused_and_triggers_nothing(
    each_acme: AsyncClient, each_server: Server, content: bytes, content_type: str, status: int, code: str
) -> None:
    caller = await make(each_acme, each_server)
    answer = await caller.send(content, {"content-type": content_type})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await triggers(each_acme) == []


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_signed_call_is_taken(acme: AsyncClient, server: Server, scheme: str) -> None:
    caller = await make(acme, server, signature=signature(scheme))
    assert (await caller.send(headers=signed(scheme, server))).status_code == 202


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("how", ["no signature", "another body", "another secret", "rubbish"])
async def test_a_wrong_signature_is_answered_as_a_url_that_does_not_exist(
    acme: AsyncClient, server: Server, scheme: str, how: str
) -> None:
    wanted = signature(scheme)
    if how == "another secret":
        wanted["secret"] = "some-other-secret-there"
    caller = await make(acme, server, signature=wanted)
    headers: dict[str, Any] = dict(signed(scheme, server))
    match how:
        case "no signature":
            headers = {}
        case "rubbish":
            headers = dict.fromkeys(headers, "=,.={}") | {"stripe-signature": "t=1e9,v1=,v1"}
            headers = {name: value.encode() + b"\xe9" for name, value in headers.items()}
    answer = await caller.send(BODY + b" " if how == "another body" else BODY, headers)
    nowhere = await caller.send(url="/v1/hooks/hook_nothing")
    assert (answer.status_code, answer.content) == (404, nowhere.content)
    shown = (await acme.get("/v1/webhooks/push")).json()
    assert (bool(shown["refusal"]), await triggers(acme)) == (True, [])


@pytest.mark.parametrize("scheme", TIMED)
@pytest.mark.parametrize("ago", [timedelta(minutes=6), timedelta(minutes=-6)])
async def test_a_call_that_was_signed_long_ago_is_refused(
    acme: AsyncClient, server: Server, scheme: str, ago: timedelta
) -> None:
    caller = await make(acme, server, signature=signature(scheme))
    assert (await caller.send(headers=signed(scheme, server, ago=ago))).status_code == 404
    assert "time" in (await acme.get("/v1/webhooks/push")).json()["refusal"]


@pytest.mark.parametrize("scheme", TIMED)
async def test_a_signed_call_that_is_repeated_triggers_nothing_more(
    acme: AsyncClient, server: Server, scheme: str
) -> None:
    caller = await make(acme, server, signature=signature(scheme))
    headers = signed(scheme, server)
    first = await caller.send(headers=headers)
    again = await caller.send(headers={**headers, "idempotency-key": "another", "x-github-delivery": "2"})
    assert again.json() == {"trigger": first.json()["trigger"], "replayed": True}
    assert len(await triggers(acme)) == 1


@pytest.mark.parametrize("header", ["Idempotency-Key", "X-GitHub-Delivery", "webhook-id"])
async def test_a_delivery_that_comes_again_is_answered_with_the_same_trigger(
    each_acme: AsyncClient, each_server: Server, header: str
) -> None:
    caller = await make(each_acme, each_server)
    answers = [await caller.send(headers={header: "d1"}) for _ in range(2)]
    each_server.clock.advance(timedelta(hours=25))
    answers.append(await caller.send(headers={header: "d1"}))
    ids = [answer.json()["trigger"] for answer in answers]
    assert (ids[0] == ids[1] != ids[2], [one.json()["replayed"] for one in answers]) == (
        True,
        [False, True, False],
    )


async def test_the_same_delivery_several_times_at_once_makes_one_trigger(
    each_acme: AsyncClient, each_server: Server
) -> None:
    caller = await make(each_acme, each_server)
    answers = await asyncio.gather(*[caller.send(headers={"Idempotency-Key": "k"}) for _ in range(5)])
    assert len({answer.json()["trigger"] for answer in answers}) == len(await triggers(each_acme)) == 1


async def test_a_delivery_with_another_body_is_a_conflict(acme: AsyncClient, server: Server) -> None:
    caller = await make(acme, server)
    await caller.send(headers={"Idempotency-Key": "k"})
    assert (await caller.send(b'{"ref": "other"}', {"Idempotency-Key": "k"})).status_code == 409


async def test_more_calls_than_the_rate_have_to_wait(each_acme: AsyncClient, each_server: Server) -> None:
    caller = await make(each_acme, each_server, rate=2)
    first = await caller.send(headers={"Idempotency-Key": "k"})
    answers = [await caller.send() for _ in range(2)]
    replayed = await caller.send(headers={"Idempotency-Key": "k"})
    each_server.clock.advance(timedelta(seconds=61))
    later = await caller.send()
    statuses = [one.status_code for one in (first, *answers, replayed, later)]
    assert (statuses, answers[1].headers["retry-after"]) == ([202, 202, 429, 202, 202], "60")


async def test_a_rotated_and_a_deleted_token_are_worth_nothing(acme: AsyncClient, server: Server) -> None:
    caller = await make(acme, server)
    fresh = (await acme.post("/v1/webhooks/push/rotate")).json()["url"].removeprefix("http://127.0.0.1:8080")
    statuses = [(await caller.send(url=url)).status_code for url in (caller.url, fresh)]
    await acme.delete("/v1/webhooks/push")
    assert [*statuses, (await caller.send(url=fresh)).status_code] == [404, 202, 404]


@pytest.mark.parametrize(
    "token", ["x", "hook_", "%00", "%ff", "..%2f", "a" * 5000, "waits", "hook_\u00e9", "waits/x", "waits/%00"]
)
async def test_no_token_whatever_says_anything(acme: AsyncClient, server: Server, token: str) -> None:
    caller = await make(acme, server)
    answer = await caller.send(url=f"/v1/hooks/{token}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_token_is_kept_only_as_its_digest(acme: AsyncClient, server: Server) -> None:
    caller = await make(acme, server, signature={"scheme": "github"})
    token = caller.url.rpartition("/")[2]
    async with server.parts.database.engine.connect() as connection:
        rows = (await connection.exec_driver_sql("select * from webhook")).all()
    shown = [(await acme.get(path)).text for path in ("/v1/webhooks", "/v1/webhooks/push", "/v1/events")]
    assert token not in json.dumps([shown, str(rows)])
