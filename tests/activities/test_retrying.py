from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.retrying import retry_delay
from activities.stages.kind import StageError
from dsl.action import Retry

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
FAR = NOW + timedelta(days=30)


def passing(code: str = "connection", retry_after: timedelta | None = None) -> StageError:
    return StageError(code, "…", retryable=True, retry_after=retry_after)


def final(code: str = "validation") -> StageError:
    return StageError(code, "…", retryable=False)


def retry(**fields: object) -> Retry:
    return Retry.model_validate({"jitter": 0.0, **fields})


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(1, 2), (2, 6), (3, 18), (4, 54), (5, 60), (50, 60), (98, 60)]
)
def test_delays_grow_up_to_the_longest(attempt: int, seconds: int) -> None:
    policy = retry(max_attempts=100, delay="2s", backoff=3, max_delay="1m")
    assert retry_delay(policy, passing(), attempt, NOW, FAR, 0.5) == timedelta(seconds=seconds)


@pytest.mark.parametrize("attempt", [1, 50, 99])
def test_the_largest_backoff_is_finite(attempt: int) -> None:
    policy = retry(max_attempts=100, delay="3650d", backoff=10, max_delay="3650d")
    assert retry_delay(policy, passing(), attempt, NOW, FAR, 0.5) == timedelta(hours=24)


@pytest.mark.parametrize(
    ("policy", "error", "attempt", "is_retried"),
    [
        (None, passing(), 1, False),
        (retry(), passing(), 1, True),
        (retry(), final(), 1, False),
        (retry(max_attempts=3), passing(), 2, True),
        (retry(max_attempts=3), passing(), 3, False),
        (retry(max_attempts=1), passing(), 1, False),
        (retry(on=["timeout"]), passing("connection"), 1, False),
        (retry(on=["timeout"]), passing("timeout"), 1, True),
        (retry(on=["validation"]), final("validation"), 1, True),
        (retry(on=["sql.*"]), final("sql.unique_violation"), 1, True),
        (retry(on=["http.status"]), final("http.status"), 1, True),
        (retry(on=["http.status"]), passing("timeout"), 1, False),
    ],
)
def test_whether_an_error_is_tried_again(
    policy: Retry | None, error: StageError, attempt: int, is_retried: bool
) -> None:
    assert (retry_delay(policy, error, attempt, NOW, FAR, 0.5) is not None) is is_retried


@pytest.mark.parametrize(("asked", "seconds"), [(None, 2), (1, 2), (90, 90), (86400, 86400)])
def test_the_other_side_may_ask_for_more_but_not_for_less(asked: int | None, seconds: int) -> None:
    error = passing("rate_limited", None if asked is None else timedelta(seconds=asked))
    delay = retry_delay(retry(delay="2s"), error, 1, NOW, FAR, 0.5)
    assert delay == timedelta(seconds=seconds)


@pytest.mark.parametrize(("left", "is_retried"), [(3, True), (2, False), (1, False), (-1, False)])
def test_no_attempt_begins_at_the_deadline(left: int, is_retried: bool) -> None:
    delay = retry_delay(retry(delay="2s"), passing(), 1, NOW, NOW + timedelta(seconds=left), 0.5)
    assert (delay is not None) is is_retried


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1), st.integers(1, 98))
def test_jitter_stays_within_its_share(luck: float, jitter: float, attempt: int) -> None:
    policy = retry(max_attempts=100, delay="10s", backoff=2, max_delay="1h", jitter=jitter)
    delay = retry_delay(policy, passing(), attempt, NOW, FAR, luck)
    nominal = min(timedelta(seconds=10) * 2 ** min(attempt - 1, 20), timedelta(hours=1))
    second = timedelta(microseconds=10)
    assert delay is not None
    assert nominal * (1 - jitter) - second <= delay
    assert delay <= min(nominal * (1 + jitter) + second, timedelta(hours=1))
