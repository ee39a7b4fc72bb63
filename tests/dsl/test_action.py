from datetime import timedelta

import pytest

from dsl.action import Action, Retry, Stage
from tests.dsl.actions import ALERT, IMPORT, action_of, checked, with_stages


def stage_of(fields: str, more: str = "") -> Stage:
    return action_of(with_stages(f"{{id: s, uses: http, with: {{url: x}}, {fields}}}", more=more)).stages[0]


@pytest.mark.parametrize("text", [ALERT, IMPORT])
def test_an_action_survives_json(text: str) -> None:
    action = action_of(text)
    assert Action.model_validate_json(action.model_dump_json()) == action


def test_an_action_has_its_schedules_by_name() -> None:
    more = "schedule: every day\nschedules: [{id: noon, every: day, at: noon}]\n"
    found = checked(with_stages("{id: s, uses: set, with: {values: {}}}", more=more))
    assert [(name, schedule.kind) for name, schedule in found.schedules] == [
        ("trial", "calendar"),
        ("trial-noon", "calendar"),
    ]


def test_a_stage_has_one_attempt_and_five_minutes() -> None:
    stage = stage_of("")
    assert (stage.retry, stage.timeout, stage.join, stage.disabled) == (
        None,
        timedelta(minutes=5),
        "any",
        False,
    )


def test_defaults_fill_what_a_stage_leaves_out() -> None:
    stage = stage_of("timeout: 9s", "defaults: {timeout: 1m, retry: {max_attempts: 5}}\n")
    assert (stage.timeout, stage.retry) == (timedelta(seconds=9), Retry(max_attempts=5))


def test_a_stage_may_refuse_the_default_retry() -> None:
    assert stage_of("retry: false", "defaults: {retry: {max_attempts: 5}}\n").retry == Retry(max_attempts=1)


@pytest.mark.parametrize(("written", "text"), [("true", "true"), ("false", "false"), ("1 == 1", "1 == 1")])
def test_a_condition_may_be_written_as_true_or_false(written: str, text: str) -> None:
    assert stage_of(f"when: {written}").when == text


@pytest.mark.parametrize(("delay", "longest"), [("1s", 300), ("10m", 600)])
def test_the_longest_delay_is_not_below_the_first(delay: str, longest: int) -> None:
    retry = stage_of(f"retry: {{delay: {delay}}}").retry
    assert retry is not None
    assert retry.max_delay == timedelta(seconds=longest)


@pytest.mark.parametrize(
    ("on", "code", "answer"),
    [
        (None, "timeout", True),
        (("timeout",), "timeout", True),
        (("timeout",), "dns", False),
        (("sql.*",), "sql.unique_violation", True),
        (("sql.*",), "code.x", False),
        (("sql.deadlock",), "sql.unique_violation", False),
    ],
)
def test_a_retry_covers_the_codes_it_lists(on: tuple[str, ...] | None, code: str, answer: bool) -> None:
    assert Retry(on=on).covers(code) is answer


def test_defaults_hold_for_handlers_and_for_what_undoes() -> None:
    more = (
        "defaults: {timeout: 1m, retry: {max_attempts: 5}}\non_error: [{id: p, uses: http, with: {url: x}}]\n"
    )
    action = action_of(
        with_stages(
            "{id: s, uses: http, with: {url: x}, undo: {uses: http, with: {url: x}, retry: false}}", more=more
        )
    )
    found = [(stage.id, stage.timeout, stage.retry) for stage in action.all_stages.values()]
    minute, five = timedelta(minutes=1), Retry(max_attempts=5)
    assert found == [("s", minute, five), ("p", minute, five), ("s.undo", minute, Retry(max_attempts=1))]


def test_what_is_executed_behind_the_graph_survives_json() -> None:
    undo = "undo: {uses: http, with: {url: x}}"
    more = "on_finish: [{id: p, uses: http, with: {url: x}}]\n"
    action = action_of(
        with_stages(f"{{id: s, uses: http, with: {{url: x}}, foreach: [1], {undo}}}", more=more)
    )
    assert Action.model_validate_json(action.model_dump_json(exclude_unset=True)) == action
