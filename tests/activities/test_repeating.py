from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import JsonValue

from activities.evaluator import Evaluator
from activities.repeating import Opened, asks_for_item, gather, open_items
from activities.scope import Sight, sight_of
from activities.stages.kind import StageError
from cronny.store.item_tables import ItemState
from cronny.store.items import Result
from cronny.store.records import TriggerRecords
from cronny.store.tables import TriggerRow
from dsl.action import Stage
from tests.activities.samples import NOW, fire_for, load

pytestmark = pytest.mark.asyncio(loop_scope="module")
ERROR: JsonValue = {"code": "timeout", "message": "late"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def evaluator() -> AsyncIterator[Evaluator]:
    evaluator = Evaluator()
    yield evaluator
    await evaluator.close()


def repeated(fields: str = "", given: JsonValue = None) -> tuple[Stage, Sight]:
    """A stage over `inputs.list`, and what it sees."""
    loaded = load(
        "version: 1\nname: trial\ninputs: {list: {type: array}}\nstages:\n"
        "  - {id: s, uses: set, foreach: '${{ inputs.list }}', with: {values: {}}, " + fields + "}\n"
    )
    row = TriggerRow(
        id="trg_1", tenant_id="ten_1", action_id="act_1", action_version=1, due=NOW,
        inputs={"list": given}, allocated_at=NOW,
    )  # fmt: skip
    return loaded.stages["s"], sight_of(loaded, fire_for(), TriggerRecords(row, {}))


async def opened(evaluator: Evaluator, fields: str, given: JsonValue) -> Opened:
    return await open_items(evaluator, *repeated(fields, given))


@pytest.mark.parametrize(
    ("fields", "given", "items"),
    [
        ("", [1, {"a": None}], [1, {"a": None}]),
        ("", [], []),
        ("when: item > 1", [1, 2], [1, 2]),
        ("when: index > 1", [1, 2], [1, 2]),
        ("when: size(inputs.list) > 0", [1], [1]),
        ("when: size(inputs.list) > 0", [], None),
        ("disabled: true", [1], None),
    ],
)
async def test_the_items_are_those_of_the_list(
    evaluator: Evaluator, fields: str, given: JsonValue, items: list[JsonValue] | None
) -> None:
    assert (await opened(evaluator, fields, given)).items == items


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "foreach needs a list, and this is null"),
        ({"a": 1}, "foreach needs a list, and this is a mapping"),
        ("abc", "foreach needs a list, and this is a text"),
        (True, "foreach needs a list, and this is true or false"),
        (7, "foreach needs a list, and this is a number"),
        ([0] * 10_001, "foreach has 10001 items, 10000 at most; give it a part of the list"),
    ],
)
async def test_what_is_no_list_is_refused(evaluator: Evaluator, given: JsonValue, message: str) -> None:
    with pytest.raises(StageError) as caught:
        await opened(evaluator, "", given)
    assert (caught.value.code, caught.value.message) == ("validation", message)


@pytest.mark.parametrize(
    ("condition", "name", "answer"),
    [
        ("item.x > 1", "item", True),
        ("index == 0", "item", True),
        ("order.item > 1", "order", True),
        ("order.item > 1", "item", False),
        ("inputs.item > 1", "item", False),
        ("[1].exists(item, item > 1)", "item", False),
    ],
)
async def test_a_condition_of_items_names_one(condition: str, name: str, answer: bool) -> None:
    assert asks_for_item(condition, name) is answer


def result(item: int, state: str, output: JsonValue = None, error: JsonValue = None) -> Result:
    return Result(item, ItemState(state), output, error)


MIXED = [result(0, "completed", 5), result(1, "skipped"), result(2, "failed", error=ERROR)]


async def test_results_stand_in_order_with_errors_among_them() -> None:
    ended = gather(repeated("on_item_error: continue")[0], MIXED)
    assert (ended.status, ended.output) == ("completed", [5, None, {"error": ERROR}])


async def test_the_first_failed_item_is_the_error_of_the_stage() -> None:
    ended = gather(repeated()[0], [*MIXED, result(3, "waiting"), result(4, "failed", error={"code": "dns"})])
    details = {"item": 2, "failed": 2, "total": 5}
    assert (ended.status, ended.output) == ("failed", None)
    assert ended.error == {"code": "timeout", "message": "item 2: late", "details": details}


@pytest.mark.parametrize("fields", ["", "on_item_error: continue"])
async def test_an_item_that_never_ended_has_failed(fields: str) -> None:
    ended = gather(repeated(fields)[0], [result(0, "started")])
    shown = ended.error if not fields else ended.output
    assert "the stage could not be executed" in str(shown)


async def test_results_that_are_too_large_together_are_refused() -> None:
    ended = gather(repeated()[0], [result(number, "completed", "x" * (9 << 20)) for number in range(2)])
    assert ended.error == {
        "code": "validation",
        "message": "the results are larger than 16 MB together; keep less of each with `output`",
    }
