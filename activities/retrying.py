"""Whether a failed attempt is tried again, and when."""

from datetime import datetime, timedelta

from activities.stages.kind import StageError
from dsl.action import Retry

MOST_DELAY = timedelta(hours=24)  # keeps the arithmetic of large backoffs finite


def retry_delay(
    retry: Retry | None, error: StageError, attempt: int, now: datetime, deadline: datetime, luck: float
) -> timedelta | None:
    """The delay before the next attempt, or None when there is none.

    `attempt` is the one that failed, from 1; `luck` in [0, 1) places the delay within the jitter.
    """
    if retry is None or attempt >= retry.max_attempts or not _is_meant(retry, error):
        return None
    delay = max(_backoff(retry, attempt, luck), error.retry_after or timedelta())
    return delay if now + delay < deadline else None


def _is_meant(retry: Retry, error: StageError) -> bool:
    return retry.covers(error.code) and (error.retryable or retry.on is not None)


def _backoff(retry: Retry, attempt: int, luck: float) -> timedelta:
    longest = min(retry.max_delay, MOST_DELAY).total_seconds()
    seconds = min(retry.delay.total_seconds() * retry.backoff ** (attempt - 1), longest)
    return timedelta(seconds=min(seconds * (1 + retry.jitter * (2 * luck - 1)), longest))
