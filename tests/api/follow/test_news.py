from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import JsonValue

from api.follow.marks import Marks, read_marks
from api.follow.news import QUIET, News, Reader, closing, has_ended, news, news_of_item
from cronny.store.following import Failed, Sighting, Step
from cronny.store.live import Lines, LogLine, Unit

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
WORK, ITEM = Unit("trg_1", "work"), Unit("trg_1", "work", 3)
ERROR: JsonValue = {"code": "internal", "message": "no"}
ALL = Reader((), lambda _: False)


def seen(*steps: Step, live: Mapping[Unit, Lines] | None = None, **changes: Any) -> Sighting:
    values: dict[str, Any] = {"state": "executing", "reason": "", "started": NOW, "finished": None}
    return Sighting(**{**values, "completes_at_start": False, **changes}, steps=steps, live=live or {})


def step(state: str = "started", attempt: int = 1, log: str = "", **changes: Any) -> Step:
    finished = None if state == "started" else NOW
    return Step(WORK, state, attempt, finished, NOW, log=log, **changes)


def live(*texts: str, attempt: int = 1) -> Lines:
    return Lines(attempt, [LogLine(text, NOW, "stdout") for text in texts])


def brief(told: Sequence[News]) -> list[str]:
    """The events in short: states, and lines with their numbers."""
    return [
        f"{one.fields['sequence']} {one.fields['text']}" if one.kind == "log" else str(one.fields["state"])
        for one in told
    ]


def told(marks: Marks, sighting: Sighting, reader: Reader = ALL) -> list[str]:
    return brief(list(news(reader, marks, sighting)))


def test_what_was_told_is_not_told_again() -> None:
    marks = Marks()
    assert told(marks, seen(step(), live={WORK: live("a")})) == ["executing", "started", "1 a"]
    assert told(marks, seen(step(), live={WORK: live("a")})) == []
    assert told(marks, seen(step(), live={WORK: live("a", "b")})) == ["2 b"]
    assert told(marks, seen(step("completed", log="a\nb\nc"))) == ["3 c", "completed"]
    assert told(marks, seen(step("completed", log="a\nb\nc"))) == []


def test_any_event_is_a_place_to_go_on_from() -> None:
    marks, sighting = Marks(), seen(step("completed", log="a\nb"))
    everything = told(Marks(), sighting)
    for number, _ in enumerate(news(ALL, marks, sighting), 1):
        assert told(read_marks(str(marks)), sighting) == everything[number:]


def test_a_line_says_where_it_comes_from() -> None:
    *_, line = news(ALL, Marks(), seen(step(attempt=2), live={WORK: live("up", attempt=2)}))
    assert line == News("log", {
        "stage": "work", "item": None, "attempt": 2, "sequence": 1, "at": "2026-03-02T08:00:00+00:00",
        "stream": "stdout", "text": "up", "restarted": False,
    })  # fmt: skip


def test_the_rest_of_a_failed_attempt_is_told_before_the_next() -> None:
    marks = Marks()
    told(marks, seen(step(), live={WORK: live("a")}))
    failed = {(WORK, 1): Failed(NOW, ERROR, "a\nb")}
    assert told(marks, seen(step(attempt=2), live={WORK: live("x", attempt=2)}, failed=failed)) == [
        "2 b", "retrying", "1 x",
    ]  # fmt: skip


def test_an_execution_that_began_anew_says_so() -> None:
    marks = Marks()
    told(marks, seen(step(), live={WORK: live("a", "b")}))
    [line] = news(ALL, marks, seen(step(), live={WORK: live("x")}))
    assert (line.fields["text"], line.fields["sequence"], line.fields["restarted"]) == ("x", 1, True)


def test_a_skipped_stage_never_started() -> None:
    assert told(Marks("executing:"), seen(step("skipped", attempt=0))) == ["skipped"]


def test_only_the_stages_that_were_asked_for_are_told() -> None:
    reader = Reader(["other"], lambda _: False)
    assert told(Marks(), seen(step(), live={WORK: live("a"), ITEM: live("b")}), reader) == ["executing"]


def test_a_sensitive_stage_tells_nothing() -> None:
    reader = Reader((), lambda _: True)
    found = list(news(reader, Marks("executing:"), seen(step("failed", log="a\nb", error=ERROR))))
    assert brief(found) == ["started", "1 (sensitive)", "failed"]
    assert found[-1].fields["error"] == {"code": "internal", "message": "(sensitive)"}


def test_the_lines_of_items_are_told_while_they_run_and_at_their_end() -> None:
    marks, ended = Marks("executing:"), Step(ITEM, "completed", 1, NOW, log="a\nb")
    assert told(marks, seen(live={ITEM: live("a")})) == ["1 a"]
    assert brief(list(news_of_item(ALL, marks, ended, {}))) == ["2 b", "completed"]
    assert told(marks, seen(live={ITEM: live("a")})) == []


@pytest.mark.parametrize(
    ("sighting", "expected"),
    [
        (seen(), False),
        (seen(state="completed"), True),
        (seen(step(), state="completed"), False),
        (seen(step("failed"), state="failed"), True),
        (seen(state="completed", finished=NOW, completes_at_start=True), False),
        (seen(state="completed", finished=NOW - 2 * QUIET, completes_at_start=True), True),
    ],
)
def test_a_trigger_has_ended_when_nothing_of_it_goes_on(sighting: Sighting, expected: bool) -> None:
    assert has_ended(sighting, NOW + timedelta(seconds=1)) is expected


def test_the_end_is_told_once_and_last() -> None:
    marks, sighting = Marks("executing:"), seen(state="failed", reason="stage_failed")
    assert [one.kind for one in closing(marks, sighting, NOW)] == ["state", "end"]
    assert read_marks(str(marks)).has_ended
