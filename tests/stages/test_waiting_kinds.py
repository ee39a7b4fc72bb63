"""What the kinds that wait ask for, and what they make of the answer."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import JsonValue

from activities.stages.action import ACTION
from activities.stages.approval import APPROVAL
from activities.stages.kind import Kind, StageError
from activities.stages.request import Answer, Call, Request
from activities.stages.wait import WAIT
from tests.stages.contexts import context

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
YES: JsonValue = {
    "decision": "approved",
    "by": "ada",
    "at": "2026-11-24T08:00:00Z",
    "note": "ok",
    "via": "key",
}
NO: JsonValue = {**YES, "decision": "rejected", "note": "not now"}  # type: ignore[dict-item]  # a mapping


async def end(
    kind: Kind, with_: Mapping[str, object], value: JsonValue = None, *, is_late: bool = False
) -> JsonValue:
    answer = Answer(NOW, is_late, value)
    return await kind.run(replace(context(kind, with_, timeout=timedelta(hours=2)), answer=answer))


async def failure(
    kind: Kind, with_: Mapping[str, object], value: JsonValue = None, *, is_late: bool = False
) -> tuple[str, str]:
    with pytest.raises(StageError) as caught:
        await end(kind, with_, value, is_late=is_late)
    return caught.value.code, caught.value.message


def asked(kind: Kind, with_: Mapping[str, object]) -> Request:
    assert kind.request is not None
    return kind.request(kind.with_model.model_validate(with_), NOW)


def test_requests_say_what_is_waited_for() -> None:
    people = {"message": "go?", "approvers": ["ada", "bob"], "needed": 2, "remind_after": "4h"}
    later = datetime(2026, 12, 24, 18, tzinfo=UTC)
    assert [
        asked(APPROVAL, people),
        asked(WAIT, {"for": "2h"}),
        asked(WAIT, {"until": "2026-12-24T19:00:00+01:00"}),
        asked(WAIT, {"webhook": True}),
        asked(ACTION, {"action": "other", "inputs": {"n": 1}, "wait": False}),
    ] == [
        Request(message="go?", approvers=("ada", "bob"), needed=2, remind_after=timedelta(hours=4)),
        Request(until=NOW + timedelta(hours=2)),
        Request(until=later),
        Request(is_hook=True),
        Request(call=Call("other", {"n": 1}, False)),
    ]


def test_an_instant_that_is_too_far_away_is_an_error() -> None:
    with pytest.raises(StageError, match="more than 366 days away"):
        asked(WAIT, {"until": "2029-01-01T00:00:00Z"})


async def test_an_approval_gives_the_decision() -> None:
    found = await end(APPROVAL, {"message": "go?"}, [YES])
    summary = {"decision": "approved", "by": "ada", "at": "2026-11-24T08:00:00Z", "note": "ok"}
    assert found == {**summary, "decisions": [YES]}


async def test_a_rejection_is_an_error_of_its_own() -> None:
    error = await failure(APPROVAL, {"message": "go?", "needed": 2}, [YES, NO])
    assert error == ("approval.rejected", "rejected by ada: not now")


@pytest.mark.parametrize(("on_timeout", "code"), [("fail", "timeout"), ("reject", "approval.rejected")])
async def test_nobody_deciding_is_an_error(on_timeout: str, code: str) -> None:
    error = await failure(APPROVAL, {"message": "go?", "on_timeout": on_timeout}, is_late=True)
    assert error == (code, "nobody decided within 2h")


async def test_nobody_deciding_can_mean_yes() -> None:
    found = await end(APPROVAL, {"message": "go?", "on_timeout": "approve"}, is_late=True)
    assert isinstance(found, dict)
    assert (found["decision"], found["by"], found["decisions"]) == ("approved", "timeout", [])


async def test_a_wait_gives_when_it_ended_or_what_was_sent() -> None:
    found = [await end(WAIT, {"for": "1s"}), await end(WAIT, {"webhook": True}, {"color": "blue"})]
    assert found == [{"at": "2026-11-24T09:00:00Z"}, {"color": "blue"}]


@pytest.mark.parametrize(
    ("with_", "what"), [({"webhook": True}, "nobody called"), ({"for": "3h"}, "the wait is not over")]
)
async def test_a_wait_that_takes_too_long_is_an_error(with_: dict[str, object], what: str) -> None:
    assert await failure(WAIT, with_, is_late=True) == ("timeout", f"{what} within 2h")


async def test_an_action_gives_its_outputs() -> None:
    value: JsonValue = {"trigger": "trg_1", "state": "completed", "outputs": {"n": 1}, "error": None}
    found = [await end(ACTION, {"action": "other", "wait": wait}, value) for wait in (True, False)]
    assert found == [{"n": 1}, {"trigger": "trg_1"}]


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("failed", ("action.failed", "'other' failed: no route")),
        ("cancelled", ("action.cancelled", "'other' was cancelled")),
        ("executing", ("timeout", "'other' did not end within 2h")),
    ],
)
async def test_an_action_that_did_not_complete_is_an_error(state: str, error: tuple[str, str]) -> None:
    value: JsonValue = {"trigger": "trg_1", "state": state, "error": {"code": "x", "message": "no route"}}
    assert await failure(ACTION, {"action": "other"}, value, is_late=state == "executing") == error
