"""The picture of the figures."""

from xml.etree import ElementTree

import pytest

from bench.picture import Bar, picture

SPACE = "{http://www.w3.org/2000/svg}"


def widths(*middles: float) -> list[float]:
    bars = [Bar(f"<{middle}>", middle, middle, middle, False) for middle in middles]
    root = ElementTree.fromstring(picture([("one & two", bars)], "ms"))
    return [float(rect.get("width", 0)) for rect in root.iter(f"{SPACE}rect")][1:]


def test_ten_times_as_much_is_as_far_again() -> None:
    one, ten, hundred = widths(1, 10, 100)
    assert hundred - ten == pytest.approx(ten - one, abs=1.1)


def test_nothing_is_still_a_bar() -> None:
    assert widths(0, 10)[0] == 1.0
