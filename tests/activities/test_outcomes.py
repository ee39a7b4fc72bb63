from dataclasses import replace
from typing import Any

import pytest
from pydantic import JsonValue

from activities.masking import Masker
from activities.outcomes import LONG, MANY, Outcome, described, kept, short_input
from activities.scope import Ended, Sight
from activities.stages.kind import StageError
from cronny.store.blobs import Large
from cronny.store.tables import TriggerRow
from tests.activities.samples import load
from tests.store.samples import NOW

BIG = "x" * 300_000
ROW = TriggerRow(
    id="trg_1", tenant_id="ten_1", action_id="act_1", action_version=1, due=NOW, inputs={}, allocated_at=NOW
)
SIGHT = Sight(load("version: 1\nname: a\nstages: [{id: a, uses: set, with: {values: {}}}]"), {})
DONE = Outcome(Ended("completed", BIG, None, 2), SIGHT, {"body": BIG})


class Choosy:
    """Keeps only what it is told to."""

    def __init__(self, *names: str) -> None:
        self._names = names

    async def keep(self, _: str, __: str, values: dict[str, JsonValue]) -> Any:
        if refused := values.keys() - set(self._names):
            raise StageError("too_large", f"no room for the {min(refused)}", retryable=False)
        return {name: Large(f"blb_{name}", 300_002) for name in values}


async def test_what_is_kept_elsewhere_is_named() -> None:
    found = await kept(Choosy("input", "output"), ROW, DONE)  # type: ignore[arg-type]  # as much as is used
    assert sorted(found.large) == ["input", "output"]
    assert found.ended == DONE.ended


async def test_an_output_that_cannot_be_kept_fails_the_stage() -> None:
    found = await kept(Choosy("input"), ROW, DONE)  # type: ignore[arg-type]
    error: JsonValue = {"code": "too_large", "message": "no room for the output"}
    assert found.ended == Ended("failed", None, error, 2)
    assert list(found.large) == ["input"]


async def test_an_input_that_cannot_be_kept_changes_nothing_else() -> None:
    failed = replace(DONE, ended=Ended("failed", None, {"code": "http.status", "message": "500"}, 3))
    found = await kept(Choosy("output"), ROW, failed)  # type: ignore[arg-type]
    assert found.ended == failed.ended
    assert found.input == "(not kept: no room for the input)"


def test_an_error_is_described_without_its_secrets() -> None:
    error = StageError(
        "http.status", "got s3cret", retryable=False, details={"body": "s3cret", "status": 500}
    )
    assert described(error, Masker(["s3cret"])) == {
        "code": "http.status", "message": "got ***", "details": {"body": "***", "status": 500},
    }  # fmt: skip


def test_details_that_people_cannot_read_any_more_are_cut() -> None:
    rows: list[JsonValue] = [{"n": number, "text": "y" * 1000} for number in range(1000)]
    error = StageError("sql.x", "no", retryable=False, details={"body": BIG, "status": 500, "rows": rows})
    found: Any = described(error, Masker(()))
    details = found["details"]
    assert details["body"] == f"{'x' * LONG}… ({len(BIG) - LONG} characters more)"
    assert (details["status"], len(details["rows"])) == (500, MANY + 1)
    assert details["rows"][-1] == f"… ({1000 - MANY} more)"


def test_details_that_are_deep_or_wide_are_cut() -> None:
    deep: JsonValue = BIG
    for _ in range(20):
        deep = {"in": deep}
    wide: dict[str, JsonValue] = {str(number): number for number in range(60_000)}
    error = StageError("x", "no", retryable=False, details={"deep": deep, "wide": wide})
    found: Any = described(error, Masker(()))
    assert len(str(found)) < 3000
    assert found["details"]["wide"]["…"] == f"{60_000 - MANY} more"


@pytest.mark.parametrize(("value", "is_kept"), [({"a": 1}, True), (BIG, False)])
def test_the_input_of_an_attempt_that_is_repeated_is_shown_if_it_is_small(
    value: JsonValue, *, is_kept: bool
) -> None:
    assert short_input(value) == (value if is_kept else None)
