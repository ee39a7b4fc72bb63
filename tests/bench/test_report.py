"""What the bench makes of its figures."""

import pytest

from bench.goals import GOALS, HERD
from bench.publish import merged
from bench.report import Row, cells, columns, ratio


def row(arm: str, *late: float, load: str = HERD) -> Row:
    made = Row(load, arm, "p99_ms", "bare parent + child")
    for each in late:
        made.add(p99_ms=each)
    return made


def test_a_ratio_is_of_medians() -> None:
    rows = [row("cronny", 90, 100, 500), row("bare parent + child", 1000, 1000, 9)]
    assert ratio(rows[0], rows, "bare parent + child") == pytest.approx(0.1)


def test_an_arm_without_figures_has_no_ratio() -> None:
    rows = [row("cronny"), row("bare parent + child", 1000)]
    assert ratio(rows[0], rows, "bare parent + child") is None


def test_a_cell_shows_the_median_and_the_spread() -> None:
    rows = [row("cronny", 90, 100, 500)]
    assert cells(rows[0], rows, columns(rows)) == ["cronny", "", "100 [90..500]"]


def test_later_runs_replace_earlier_ones() -> None:
    rows = [row("cronny", 1), row("restate", 2), row("cronny", 3, load="other"), row("cronny", 4)]
    assert [(each.load, each.arm, each.figures["p99_ms"]) for each in merged(rows)] == [
        (HERD, "cronny", [4]),
        (HERD, "restate", [2]),
        ("other", "cronny", [3]),
    ]


@pytest.mark.parametrize(("late", "is_met"), [(150, True), (151, False)])
def test_a_goal_is_met_up_to_its_limit(late: float, is_met: bool) -> None:
    value = GOALS[0].measured([row("cronny", late)])
    assert value is not None
    assert GOALS[0].is_met(value) is is_met


def test_a_goal_that_a_run_did_not_look_at_is_not_measured() -> None:
    assert GOALS[0].measured([row("restate", 1)]) is None
