from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from pydantic import JsonValue

from activities.evaluator import Evaluator
from activities.scope import Ended, sight_of
from activities.verdicts import Judgement, judge
from cronny.store.records import TriggerRecords
from cronny.store.tables import TriggerRow
from tests.activities.samples import NOW, fire_for, load

ROW = TriggerRow(
    id="trg_1", tenant_id="ten_1", action_id="act_1", action_version=1, due=NOW, inputs={}, allocated_at=NOW
)
TIMEOUT: JsonValue = {"code": "timeout", "message": "late"}
ACTION = """
version: 1
name: check_orders
stages:
  - {id: a, uses: set, with: {values: {x: 1}}, continue_on_error: BOLD}
  - {id: b, uses: set, with: {values: {x: 1}}}
connectors:
  - {from: a, to: b, on: success}
  - {from: a, to: b, on: success, when: output.x > 1}
  - {from: a, to: b, on: error}
  - {from: a, to: b, on: error, when: error.code == 'timeout'}
  - {from: a, to: b, on: skipped}
  - {from: a, to: b, on: always}
  - {from: a, to: b, on: always, when: "stages.a.status == 'failed' && attempt == 2"}
"""


pytestmark = pytest.mark.asyncio(loop_scope="module")
Judge = Callable[..., Awaitable[Judgement]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def judged() -> AsyncIterator[Judge]:
    """Judges an end of stage `a`; the evaluator's child process is shared."""
    evaluator = Evaluator()

    async def judged(ended: Ended, stage: str = "a", *, is_bold: bool = False) -> Judgement:
        loaded = load(ACTION.replace("BOLD", str(is_bold).lower()))
        sight = sight_of(loaded, fire_for(), TriggerRecords(ROW, {}))
        return await judge(evaluator, sight, loaded.stages[stage], ended)

    yield judged
    await evaluator.close()


@pytest.mark.parametrize(
    ("ended", "fired"),
    [
        (Ended("completed", {"x": 2}, None, 1), (0, 1, 5)),
        (Ended("completed", {"x": 1}, None, 1), (0, 5)),
        (Ended("failed", None, TIMEOUT, 2), (2, 3, 5, 6)),
        (Ended("failed", None, {"code": "dns"}, 1), (2, 5)),
        (Ended("skipped"), (4, 5)),
    ],
)
async def test_the_connectors_that_listen_and_agree_fire(
    judged: Judge, ended: Ended, fired: tuple[int, ...]
) -> None:
    assert await judged(ended) == Judgement(ended, fired)


async def test_success_goes_on_from_a_stage_that_continues_on_error(judged: Judge) -> None:
    ended = Ended("failed", {"x": 2}, TIMEOUT, 2)
    assert await judged(ended, is_bold=True) == Judgement(ended, (0, 1, 2, 3, 5, 6))


async def test_a_condition_that_cannot_be_evaluated_fails_the_stage(judged: Judge) -> None:
    judgement = await judged(Ended("completed", {"y": 1}, None, 1))
    assert (judgement.ended.status, judgement.ended.output, judgement.fired) == ("failed", {"y": 1}, (2, 5))
    assert isinstance(judgement.ended.error, dict)
    assert judgement.ended.error.keys() == {"code", "message"}
    assert judgement.ended.error["code"] == "expression"


async def test_a_condition_that_cannot_be_evaluated_does_not_hide_the_first_error(judged: Judge) -> None:
    judgement = await judged(Ended("failed", None, TIMEOUT, 1), is_bold=True)
    assert judgement.fired == (0, 2, 5)
    assert isinstance(judgement.ended.error, dict)
    assert judgement.ended.error["details"] == {"error": TIMEOUT}


async def test_a_stage_without_connectors_just_ends(judged: Judge) -> None:
    ended = Ended("failed", None, TIMEOUT, 1)
    assert await judged(ended, "b") == Judgement(ended, ())
