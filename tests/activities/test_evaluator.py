import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import timedelta

import psutil
import pytest
import pytest_asyncio
from pydantic import JsonValue

from activities.evaluator import TIME_LIMIT, Evaluator
from activities.scope import View
from activities.stages.kind import StageError
from dsl.scopes import Scope, TypeName

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOO_LARGE = "this needs more time or memory than an expression may have"
# Each `replace` multiplies the text: by far more than the memory there is.
GREEDY = "cel.bind(a, 'x'.replace('', 'xxxxxxxxxx'), cel.bind(b, a.replace('x', a + a + a), "
GREEDY += "cel.bind(c, b.replace('x', b), cel.bind(d, c.replace('x', c), size(d.replace('x', d))))))"


def view(**variables: JsonValue) -> View:
    names: Mapping[str, TypeName] = dict.fromkeys(variables, "dyn")
    return View(Scope.of(names), variables)


@pytest_asyncio.fixture(loop_scope="module")
async def evaluator() -> AsyncIterator[Evaluator]:
    evaluator = Evaluator()
    yield evaluator
    await evaluator.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared() -> AsyncIterator[Evaluator]:
    """An evaluator whose child no test harms: to start one takes a quarter of a second."""
    evaluator = Evaluator()
    yield evaluator
    await evaluator.close()


def children() -> list[psutil.Process]:
    children = psutil.Process().children()
    alive = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]  # other tests leave some
    return [child for child in alive if "activities.evaluation" in child.cmdline()]


async def child_of(evaluator: Evaluator) -> psutil.Process:
    before = children()
    await evaluator.holds("true", view())
    return next(child for child in children() if child not in before)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("plain", "plain"),
        (None, None),
        ("${{ output.n + 1 }}", 3),
        ("n is ${{ output.n }}, t is ${{ output.t }}", "n is 2, t is x"),
        ({"a": ["${{ output.l.map(i, i * 2) }}", 1]}, {"a": [[2, 4], 1]}),
        ("$${{ output.n }}", "${{ output.n }}"),
        ("${{ output }}", {"n": 2, "t": "x", "l": [1, 2], "ä": None}),
        ("${{ 'ä\\n' + output.t }}", "ä\nx"),
    ],
)
async def test_templates_are_rendered(shared: Evaluator, value: JsonValue, result: JsonValue) -> None:
    output: JsonValue = {"n": 2, "t": "x", "l": [1, 2], "ä": None}
    assert await shared.render(value, view(output=output)) == result


async def test_functions_are_called_in_the_child(shared: Evaluator) -> None:
    value = "${{ json.parse(output).sort().map(n, n * 2) }}"
    assert await shared.render(value, view(output="[2, 1]")) == [2, 4]


@pytest.mark.parametrize(
    ("condition", "truth"), [("output.status != 200", True), ("output.status == 200", False)]
)
async def test_conditions_hold_or_not(shared: Evaluator, condition: str, truth: bool) -> None:
    assert await shared.holds(condition, view(output={"status": 500})) is truth


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("output.nothing", "output has no 'nothing'; it has: n"),
        ("1 / 0", "divide by zero"),
        ("output.n +", None),
        ("unknown", None),
        ("output.n && true", None),
        ("'x'.matches('(')", None),
    ],
)
async def test_what_cannot_be_evaluated_is_an_expression_error(
    shared: Evaluator, expression: str, message: str | None
) -> None:
    with pytest.raises(StageError) as caught:
        await shared.render(f"${{{{ {expression} }}}}", view(output={"n": 1}))
    assert (caught.value.code, caught.value.retryable) == ("expression", False)
    assert message is None or caught.value.message == message


@pytest.mark.parametrize("value", ["${{ no end", ["${{"]])
async def test_a_template_without_an_end_is_an_error(shared: Evaluator, value: JsonValue) -> None:
    with pytest.raises(StageError, match=r"^this \$\{\{ has no \}\}$"):
        await shared.render(value, view())


async def test_a_condition_that_is_no_truth_value_is_an_error(shared: Evaluator) -> None:
    with pytest.raises(StageError, match="a condition must be true or false, not 1"):
        await shared.holds("output", view(output=1))


async def test_values_that_are_nested_too_deeply_are_an_error(shared: Evaluator) -> None:
    deep: JsonValue = []
    for _ in range(900):
        deep = [deep]
    with pytest.raises(StageError) as caught:
        await shared.render("${{ output }}", view(output=deep))
    assert caught.value.code == "expression"


async def test_an_expression_that_asks_for_too_much_memory_hurts_nobody_else(evaluator: Evaluator) -> None:
    greedy = asyncio.create_task(evaluator.holds(f"{GREEDY} > 0", view()))
    others = [asyncio.create_task(evaluator.render("${{ output }}", view(output=n))) for n in range(20)]
    with pytest.raises(StageError, match=TOO_LARGE):
        await greedy
    assert await asyncio.gather(*others) == list(range(20))


async def test_a_function_that_asks_for_too_much_ends_its_child_only(evaluator: Evaluator) -> None:
    with pytest.raises(StageError, match=TOO_LARGE):
        await evaluator.render("${{ lists.range(10000).map(x, lists.range(10000)).flatten() }}", view())
    assert await evaluator.render("${{ [2, 1].sort() }}", view()) == [1, 2]


async def test_the_memory_of_this_process_is_not_touched(evaluator: Evaluator) -> None:
    before = psutil.Process().memory_info().rss
    with pytest.raises(StageError):
        await evaluator.holds(f"{GREEDY} > 0", view())
    assert psutil.Process().memory_info().rss - before < 100 << 20


async def test_a_value_that_is_too_large_is_an_error(shared: Evaluator) -> None:
    text = "x" * (9 << 20)
    with pytest.raises(StageError, match=r"^the value is larger than 16 MB$"):
        await shared.render("${{ output }}${{ output }}", view(output=text))
    assert await shared.render("${{ output }}", view(output=text)) == text


async def test_a_child_that_is_stuck_is_given_up(evaluator: Evaluator) -> None:
    child = await child_of(evaluator)
    child.suspend()
    evaluator.time_limit = timedelta(milliseconds=200)
    with pytest.raises(StageError, match=TOO_LARGE):
        await evaluator.holds("true", view())
    assert not child.is_running()
    evaluator.time_limit = TIME_LIMIT
    assert await evaluator.holds("true", view())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_child_that_was_killed_is_replaced_and_its_question_answered(
    evaluator: Evaluator, number: signal.Signals
) -> None:
    child = await child_of(evaluator)
    child.suspend()
    question = asyncio.create_task(evaluator.render("${{ output + 1 }}", view(output=41)))
    await asyncio.sleep(0)
    child.send_signal(number)
    with suppress(psutil.NoSuchProcess):  # One that is suspended is killed, but not ended by a request.
        child.resume()
    assert await question == 42
    assert not child.is_running()


async def test_a_child_that_died_meanwhile_is_replaced(evaluator: Evaluator) -> None:
    child = await child_of(evaluator)
    child.kill()
    # Not child.wait(), which would take the exit code from asyncio.
    while psutil.pid_exists(child.pid):  # noqa: ASYNC110 - a process is no event
        await asyncio.sleep(0)
    assert await evaluator.render("${{ output }}", view(output=1)) == 1


async def test_a_cancelled_question_leaves_its_answer_to_nobody(evaluator: Evaluator) -> None:
    child = await child_of(evaluator)
    child.suspend()
    cancelled = [asyncio.create_task(evaluator.render("${{ output }}", view(output=n))) for n in range(3)]
    kept = [asyncio.create_task(evaluator.render("${{ output }}", view(output=n))) for n in range(10, 13)]
    await asyncio.sleep(0)
    for question in cancelled:
        question.cancel()
    await asyncio.gather(*cancelled, return_exceptions=True)
    child.resume()
    assert await asyncio.gather(*kept) == [10, 11, 12]
    assert child in children()


async def test_questions_asked_together_get_their_own_answers(shared: Evaluator) -> None:
    asked = [shared.render("${{ output * output }}", view(output=n)) for n in range(200)]
    assert await asyncio.gather(*asked) == [n * n for n in range(200)]


async def test_closing_leaves_no_process_and_cancels_who_waits() -> None:
    evaluator = Evaluator()
    child = await child_of(evaluator)
    child.suspend()
    waiting = asyncio.create_task(evaluator.holds("true", view()))
    await asyncio.sleep(0)
    await evaluator.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not child.is_running()
    await evaluator.close()


async def test_the_child_knows_none_of_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRONNY_SECRET_KEYS", "k1:secret")
    evaluator = Evaluator()
    found = (await child_of(evaluator)).environ()
    await evaluator.close()
    assert "CRONNY_SECRET_KEYS" in os.environ
    assert not [name for name in found if name.startswith("CRONNY_")]
