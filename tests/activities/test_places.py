"""The place that a trigger takes among those of its action."""

from collections.abc import AsyncIterator

import pytest
from pydantic import JsonValue

from activities.evaluator import Evaluator
from activities.places import place_of
from activities.scope import Sight, sight_of
from activities.stages.kind import StageError
from cronny.scheduling.places import OnLimit
from cronny.store.claims import Place
from cronny.store.records import TriggerRecords
from cronny.store.tables import TriggerRow
from tests.activities.samples import NOW, fire_for, load

TEXT = """
version: 1
name: check_orders
concurrency: CONCURRENCY
inputs: {region: {}, many: {type: array}, deep: {type: object}}
stages: [{id: a, uses: set, with: {values: {}}}]
"""
INPUTS: JsonValue = {"region": "eu", "many": [1, 2], "deep": None}


@pytest.fixture
async def evaluator() -> AsyncIterator[Evaluator]:
    evaluator = Evaluator()
    yield evaluator
    await evaluator.close()


async def found(evaluator: Evaluator, concurrency: str) -> Place:
    action = load(TEXT.replace("CONCURRENCY", concurrency))
    row = TriggerRow(
        id="trg_1", tenant_id="ten_1", action_id="act_1", action_version=1, due=NOW, inputs=INPUTS,
        allocated_at=NOW,
    )  # fmt: skip
    sight: Sight = sight_of(action, fire_for(), TriggerRecords(row, {}))
    assert action.action.concurrency is not None
    return await place_of(evaluator, action.action.concurrency, sight)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("fixed", "fixed"),
        ("${{ inputs.region }}-${{ trigger.schedule }}", "eu-hourly"),
        ("${{ size(inputs.many) }}", "2"),
        ("${{ size(inputs.many) == 2 }}", "true"),
    ],
)
async def test_a_key_is_a_text(evaluator: Evaluator, key: str, text: str) -> None:
    place = await found(evaluator, f'{{limit: 2, key: "{key}", on_limit: skip}}')
    assert place == Place(2, text, OnLimit.SKIP)


async def test_the_short_form_is_a_limit(evaluator: Evaluator) -> None:
    assert await found(evaluator, "3") == Place(3, "", OnLimit.QUEUE)


@pytest.mark.parametrize(
    ("key", "code", "what"),
    [
        ("${{ inputs.many }}", "validation", "must give a text, not a list"),
        ("${{ inputs.deep }}", "validation", "must give a text, not nothing"),
        ("${{ inputs.many.map(x, 'x') + ['y'] }}", "validation", "must give a text, not a list"),
        ("${{ inputs.many[7] }}", "expression", ""),
        ("a" * 256, "validation", "must give 255 characters at the most, not 256"),
    ],
)
async def test_what_is_no_key_is_said(evaluator: Evaluator, key: str, code: str, what: str) -> None:
    with pytest.raises(StageError) as raised:
        await found(evaluator, f'{{limit: 1, key: "{key}"}}')
    assert raised.value.code == code
    assert raised.value.message.startswith(f"concurrency.key: {what}")
