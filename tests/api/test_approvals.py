"""Approvals: who may decide, when, and what a link can do; the stages are tested in `tests/e2e`."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient, Response

from cronny.links import ApprovalLink, Decision
from cronny.secrets import KeyRing, hash_key, new_key
from cronny.store.columns import json_text
from cronny.store.tables import TriggerRow, TriggerState
from cronny.store.tenants import Tenants
from cronny.store.wait_tables import WaitRow
from tests.api.server import PING, Server

KEY = "cny_grace"


@dataclass
class Office:
    """A trigger with an approval that waits, and those who may decide it."""

    server: Server
    acme: AsyncClient
    trigger: str
    wait: str = "wat_1"

    async def decide(self, how: str, note: str = "", key: str | None = None) -> Response:
        path = f"/v1/approvals/{self.wait}/{how}"
        if key is None:
            return await self.acme.post(path, json={"note": note})
        async with self.server.client(key) as client:
            return await client.post(path, json={"note": note})

    async def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.acme.get(f"/v1/approvals/{self.wait}")).json()
        return found

    def link(self, by: str = "ada", decision: Decision = "approve", **changes: Any) -> str:
        fields = {"wait_id": self.wait, "approver": by, "decision": decision, "expires": self.until}
        keyring = changes.pop("keyring", self.server.parts.keyring)
        return f"/v1/approvals/links/{ApprovalLink(**{**fields, **changes}).token(keyring)}"

    @property
    def until(self) -> Any:
        return self.server.clock() + timedelta(hours=1)

    async def follow(self, link: str, method: str = "POST", **options: Any) -> Response:
        async with self.server.client() as client:
            return await client.request(method, link, **options)

    async def change(self, kind: type[TriggerRow] | type[WaitRow], **fields: Any) -> None:
        async with self.server.parts.database.write() as session:
            row = await session.get_one(kind, self.trigger if kind is TriggerRow else self.wait)
            for name, value in fields.items():
                setattr(row, name, value)


@pytest.fixture
async def office(each_server: Server, each_acme: AsyncClient) -> Office:
    await each_acme.put("/v1/actions/ping", content=PING)
    trigger = (await each_acme.post("/v1/actions/ping/run")).json()["id"]
    now = each_server.clock()
    async with each_server.parts.database.write() as session:
        row = await session.get_one(TriggerRow, trigger)
        row.state, row.run_id, row.started_at = TriggerState.EXECUTING, "run", now
        tenants = Tenants(session)
        tenant = await tenants.find("acme")
        assert tenant is not None
        await tenants.add_key(tenant, "grace", hash_key(KEY), now)
        session.add(
            WaitRow(
                id="wat_1", tenant_id=row.tenant_id, trigger_id=trigger, stage_id="ask", kind="approval",
                message="<b>go?</b>", approvers=["test", "ada", "grace"], needed=2, opened_at=now,
                until=now + timedelta(hours=1),
            )
        )  # fmt: skip
    return Office(each_server, each_acme, trigger)


async def test_it_is_listed_until_enough_have_approved(office: Office) -> None:
    listed = [(await office.acme.get("/v1/approvals")).json()["items"]]
    states = [(await office.decide("approve", "ok", key)).json()["state"] for key in (None, KEY)]
    listed.append((await office.acme.get("/v1/approvals")).json()["items"])
    every = (await office.acme.get("/v1/approvals", params={"state": "all"})).json()["items"]
    assert ([one["id"] for one in listed[0]], listed[1], states) == (["wat_1"], [], ["waiting", "approved"])
    assert [(one["by"], one["decision"], one["note"], one["via"]) for one in every[0]["decisions"]] == [
        ("test", "approved", "ok", "key"),
        ("grace", "approved", "ok", "key"),
    ]


async def test_decisions_at_the_same_moment_all_count(office: Office) -> None:
    links = [office.link(by) for by in ("ada", "test", "grace")]
    answers = await asyncio.gather(*[office.follow(link) for link in links])
    shown = await office.shown()
    assert sorted(one.status_code for one in answers) == [200, 200, 409]
    assert (shown["state"], len(shown["decisions"])) == ("approved", 2)


async def test_one_rejection_is_enough(office: Office) -> None:
    await office.decide("approve")
    assert (await office.decide("reject", key=KEY)).json()["state"] == "rejected"


async def test_nobody_decides_twice_or_afterwards(office: Office) -> None:
    statuses = [(await office.decide(how)).status_code for how in ("approve", "approve", "reject")]
    await office.decide("reject", key=KEY)
    late = await office.follow(office.link("ada"))
    assert (statuses, late.status_code, len((await office.shown())["decisions"])) == ([200, 409, 409], 409, 2)


async def test_only_approvers_decide(office: Office) -> None:
    await office.change(WaitRow, approvers=["ada"])
    answer = await office.decide("approve")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("kind", "fields", "state"),
    [
        (TriggerRow, {"state": TriggerState.FAILED}, "withdrawn"),
        (WaitRow, {"closed_at": True}, "withdrawn"),
        (WaitRow, {"until": True}, "expired"),
    ],
)
async def test_what_is_over_cannot_be_decided(office: Office, kind: Any, fields: Any, state: str) -> None:
    now = office.server.clock()
    await office.change(kind, **{name: now if value is True else value for name, value in fields.items()})
    answer = await office.decide("approve")
    assert (answer.status_code, (await office.shown())["state"]) == (409, state)
    assert (await office.acme.get("/v1/approvals")).json()["items"] == []


async def test_every_decision_is_an_event(office: Office) -> None:
    await office.decide("approve", "looks fine")
    await office.follow(office.link("ada", "reject"), data={"note": "not to me"})
    events = (await office.acme.get("/v1/events", params={"trigger": office.trigger})).json()["items"]
    found = [(one["kind"], one["actor"], one["note"], one["details"].get("via")) for one in events]
    assert sorted(found) == [
        ("approval_given", "test", "looks fine", "key"),
        ("approval_refused", "ada", "not to me", "link"),
        ("trigger_requested", "test", "", None),
    ]


async def test_a_preview_of_a_link_decides_nothing(office: Office) -> None:
    answers = [await office.follow(office.link(), method) for method in ("GET", "GET", "HEAD")]
    page = answers[0]
    assert (page.status_code, page.headers["cache-control"], page.headers["x-frame-options"]) == (
        200,
        "no-store",
        "DENY",
    )
    assert ("&lt;b&gt;go?" in page.text, "<b>go" in page.text) == (True, False)
    assert (await office.shown())["decisions"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"wait_id": "wat_2"},
        {"keyring": KeyRing(new_key())},
        {"by": "eve"},
        {"expires": "past"},
    ],
    ids=str,
)
async def test_a_link_is_bound_to_all_it_says(office: Office, changes: Any) -> None:
    if changes.get("expires") == "past":
        changes = {"expires": office.server.clock()}
    answer = await office.follow(office.link(**changes))
    assert (answer.status_code in (403, 404), (await office.shown())["decisions"]) == (True, [])


@pytest.mark.parametrize("cut", [slice(0, -1), slice(1, None), slice(0, 40), slice(0, 0)])
async def test_a_changed_link_is_none(office: Office, cut: slice) -> None:
    token = office.link().rpartition("/")[2]
    for changed in (token[cut], token[cut] + "x", f"{json_text([])}.{token}", "%00", "\u00e9" * 2000, "."):
        answer = await office.follow(f"/v1/approvals/links/{changed}")
        assert answer.status_code in (404, 405), changed


async def test_an_approval_cannot_be_turned_into_a_rejection(office: Office) -> None:
    good, bad = (office.link(decision=one).rpartition("/")[2] for one in ("approve", "reject"))
    mixed = f"{bad.split('.')[0]}.{good.partition('.')[2]}"
    assert (await office.follow(f"/v1/approvals/links/{mixed}")).status_code == 404


@pytest.mark.parametrize("body", [b"\xff", b"note=%ff", b"#" * (1 << 20), b"&" * 5000])
async def test_what_is_not_the_form_is_refused(office: Office, body: bytes) -> None:
    assert (await office.follow(office.link(), content=body)).status_code in (200, 400)
    assert json.dumps((await office.shown())["decisions"]).count("\\ufffd") == 0


async def test_another_tenants_approval_does_not_exist(office: Office) -> None:
    async with await office.server.tenant("rival") as rival:
        answers = [
            await rival.get("/v1/approvals/wat_1"),
            await rival.post("/v1/approvals/wat_1/approve"),
            await rival.get("/v1/approvals/%00"),
        ]
        listed = (await rival.get("/v1/approvals", params={"state": "all"})).json()["items"]
    assert ([one.status_code for one in answers], listed) == ([404] * 3, [])
