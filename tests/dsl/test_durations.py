from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsl.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30), ("5m", 300), ("1h 20m", 4800), ("1h20m", 4800), ("500ms", 0.5), ("1d", 86400),
        ("2w", 1209600), (" 1 h ", 3600), ("0s", 0), ("20m 1h", 4800), ("3660d", 316224000),
    ],
)  # fmt: skip
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "1.5h", "-1s", "1 hour", "5M", "1h,20m", "\u0665m", "5s x"])
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration; write it like 30s, 5m or 1h 20m$"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["3661d", "999999999999w", "3660d 1ms"])
def test_a_duration_ends_at_ten_years(text: str) -> None:
    with pytest.raises(ValueError, match="is longer than ten years"):
        parse_duration(text)


@given(st.integers(0, 3660 * 86400 * 1000).map(lambda number: timedelta(milliseconds=number)))
def test_a_written_duration_reads_back(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration
