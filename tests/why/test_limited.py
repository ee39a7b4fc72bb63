"""What limits have to do with a fire."""

import pytest

from cronny.why import Facts, explain
from tests.why.samples import MONDAY, SECOND, facts, row

LIMITED: list[tuple[Facts, str, str]] = [
    (
        facts(
            row=row(
                is_postponed=True,
                allocated_at=MONDAY + 2 * SECOND,
                started_at=MONDAY + 3 * SECOND,
                finished_at=MONDAY + 4 * SECOND,
            )
        ),
        "completed",
        "fired 3 s late, allocated 2 s after its due as its tenant had more due at once than its rate "
        "allows, completed in 1 s",
    ),
    (
        facts(
            row=row(
                concurrency_limit=3,
                concurrency_key="eu",
                started_at=MONDAY + 3 * SECOND,
                finished_at=MONDAY + 4 * SECOND,
            )
        ),
        "completed",
        "fired 3 s late, its action executes 3 at once at the most for the key 'eu', completed in 1 s",
    ),
    (
        facts(row=row("cancelled", "concurrency_cancelled", concurrency_limit=1, concurrency_key="")),
        "cancelled",
        "fired 12 ms late, cancelled: a later one took its place, its action executes 1 at once at the most; "
        "after 0.3 s",
    ),
    (
        facts(row=row("skipped", "concurrency_limit", concurrency_limit=2, concurrency_key="")),
        "skipped",
        "skipped: its action executes 2 at once at the most, and there was no place",
    ),
    (
        facts(
            row=row("scheduled", "concurrency", concurrency_limit=2, concurrency_key="us"),
            now=MONDAY + 20 * SECOND,
        ),
        "late",
        "queued for 20 s: its action executes 2 at once at the most for the key 'us'",
    ),
    (
        facts(row=row("scheduled", "tenant_limit"), now=MONDAY + 20 * SECOND),
        "late",
        "queued for 20 s: its tenant executes as many triggers as it may, see the limits",
    ),
]


@pytest.mark.parametrize(("known", "outcome", "sentence"), LIMITED)
def test_a_limit_is_said(known: Facts, outcome: str, sentence: str) -> None:
    answer = explain(known)
    assert (answer.outcome.value, answer.sentence) == (outcome, sentence)
