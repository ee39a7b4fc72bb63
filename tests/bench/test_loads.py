"""The schedules that make up a load."""

import pytest

from bench.arm import Recurring
from bench.loads import USUAL, Extent, loads
from bench.loads.steady import PERIOD, evenly
from bench.loads.sustained import MIX, STEP, STEPS, rules_of_step

BEGIN = 1_800_000_000.0
END = BEGIN + STEPS * STEP


def fires(rules: list[Recurring], begin: float, end: float) -> int:
    return sum(begin <= due < end for rule in rules for due in rule.dues())


@pytest.mark.parametrize("rate", [2, 10, 25])
def test_a_steady_load_has_its_rate_in_every_second(rate: int) -> None:
    rules = evenly(rate, BEGIN, 20)
    first = BEGIN + PERIOD
    assert {fires(rules, first + second, first + second + 1) for second in range(20)} == {rate}


def test_the_mix_of_the_sustained_load_is_five_a_second() -> None:
    assert sum(count / period for period, count in MIX.items()) == pytest.approx(5)


def test_no_schedule_of_the_sustained_load_outlasts_it() -> None:
    rules = [rule for step in range(STEPS) for rule in rules_of_step(step, BEGIN, END)]
    assert all(BEGIN <= due <= END for rule in rules for due in rule.dues())


@pytest.mark.parametrize("name", [*USUAL, "idle"])
def test_every_load_measures_cronny_first(name: str) -> None:
    assert {load.arms[0].name for load in loads([name], Extent())} == {"cronny"}
