"""Every sentence, each from the facts that lead to it."""

from datetime import timedelta

import pytest

from cronny.store.tables import ChangeKind, TriggerState
from cronny.why import Change, Facts, Mark, Pause, Tally, explain
from tests.why.samples import HOLIDAYS, HOUR, MONDAY, NOW, SECOND, closed, facts, instant, row, version

ADA = Mark(instant("2026-11-20T10:00"), "ada", "not today")
EDITED = Mark(instant("2026-11-20T10:00"), "ada")
FAILED = {"stage": "fetch", "code": "http.status", "message": "it was 500"}
OLD = version("every week on monday at 08:00 Europe/London", until=EDITED)
NEW = version(since=EDITED)
GONE = version(until=EDITED, is_deleted=True)
WEEKLY = {"every": "week", "on": "monday", "at": "09:00", "timezone": "Europe/London"}
GAP = {"every": "day", "at": "01:30", "timezone": "Europe/London"}
GAP_END = instant("2026-03-29T01:00")
AT_THE_GAP = row(due=GAP_END, planned=GAP_END, started_at=GAP_END, finished_at=GAP_END, allocated_at=GAP_END)

NOTHING = "a fire of this rule, but the ledger has nothing of it"

LEDGER: list[tuple[Facts, str, str]] = [
    (facts(row=row()), "completed", "fired 12 ms late, completed in 0.3 s"),
    (facts(row=row(started_at=MONDAY)), "completed", "fired on time, completed in 0.3 s"),
    (
        facts(row=row(reason="started", complete_on="start")),
        "completed",
        "fired 12 ms late, completed as it started: complete_on is start",
    ),
    (
        facts(row=row(planned=MONDAY + 10 * SECOND, started_at=MONDAY + 11 * SECOND)),
        "completed",
        "fired 1 s late of its planned 2026-11-23 09:00:10 LONDON, completed in 0 ms",
    ),
    (
        facts(
            row=row(
                allocated_at=MONDAY + 3 * HOUR,
                started_at=MONDAY + 3 * HOUR,
                finished_at=MONDAY + 3 * HOUR + SECOND,
            )
        ),
        "completed",
        "fired 3 h late, caught up: it was allocated only at 2026-11-23 12:00 LONDON, completed in 1 s",
    ),
    (
        facts(row=row("failed", "stage_failed", error=FAILED)),
        "failed",
        "fired 12 ms late, failed at stage fetch: http.status: it was 500 after 0.3 s",
    ),
    (
        facts(row=row("failed", "outputs_failed", error={"code": "expression", "message": "no such key"})),
        "failed",
        "fired 12 ms late, failed (outputs_failed): expression: no such key after 0.3 s",
    ),
    (
        facts(row=row("failed", "workflow_lost"), settled=Mark(MONDAY + HOUR, "watchdog")),
        "failed",
        "fired 12 ms late, failed as workflow_lost: its workflow was gone, settled by watchdog at "
        "2026-11-23 10:00 LONDON after 0.3 s",
    ),
    (
        facts(row=row("cancelled", "requested"), settled=Mark(MONDAY, "ada", "wrong day")),
        "cancelled",
        'fired 12 ms late, cancelled by ada at 2026-11-23 09:00 LONDON, "wrong day" after 0.3 s',
    ),
    (
        facts(row=row("cancelled", "overlap_killed", overlap="kill_running")),
        "cancelled",
        "fired 12 ms late, cancelled: a later one took its place, overlap is kill_running; after 0.3 s",
    ),
    (
        facts(row=row("executing", finished_at=None), now=MONDAY + 40 * SECOND, stage="fetch"),
        "executing",
        "fired 12 ms late, executing stage fetch for 40 s",
    ),
    (
        facts(row=row(reason="manual"), requested=Mark(MONDAY, "ada")),
        "completed",
        "triggered by hand by ada at 2026-11-23 09:00 LONDON, fired 12 ms late, completed in 0.3 s",
    ),
    (
        facts(row=row("skipped", "paused"), pauses=(Pause(ADA),)),
        "skipped",
        'skipped: the schedule was paused by ada at 2026-11-20 10:00 LONDON, "not today"',
    ),
    (
        facts(row=row("skipped", "superseded"), settled=EDITED),
        "skipped",
        "skipped: superseded: the schedule was changed by ada at 2026-11-20 10:00 LONDON",
    ),
    (
        facts(row=row("skipped", "deleted"), settled=EDITED),
        "skipped",
        "skipped: the schedule was deleted by ada at 2026-11-20 10:00 LONDON",
    ),
    (
        facts(row=row("skipped", "overlap", overlap="skip"), before=MONDAY - HOUR),
        "skipped",
        "skipped: the one of 2026-11-23 08:00 LONDON was still executing, and overlap is skip",
    ),
    (facts(row=row("skipped", "holiday")), "skipped", "skipped: holiday"),
    (
        facts(
            "2026-11-23 09:00",
            version({"every": "week", "on": "monday", "at": "09:00", "catchup": "none"}),
            row=row("missed", "catchup", allocated_at=MONDAY + HOUR, started_at=None),
        ),
        "missed",
        "missed: nothing could execute it between 2026-11-23 09:00 and 2026-11-23 10:00 UTC; "
        "catch-up is none",
    ),
    (
        facts(row=row("missed", "awaiting_approval", allocated_at=MONDAY + HOUR, started_at=None)),
        "missed",
        "missed: nothing could execute it between 2026-11-23 09:00 and 2026-11-23 10:00 LONDON; "
        "catch-up is ask, and nobody has approved it",
    ),
    (
        facts(row=row("missed", "deadline", start_by=MONDAY + 30 * SECOND, started_at=None)),
        "missed",
        "missed: nothing could start it by 2026-11-23 09:00:30 LONDON, its deadline",
    ),
    (
        facts(row=row("skipped", "paused", count=3, until=MONDAY + timedelta(days=14)), pauses=(Pause(ADA),)),
        "skipped",
        "one of the 3 fires between 2026-11-23 09:00 and 2026-12-07 09:00 LONDON that were skipped: "
        'the schedule was paused by ada at 2026-11-20 10:00 LONDON, "not today"',
    ),
    (
        facts(row=row("scheduled"), now=MONDAY - 3 * SECOND),
        "will_fire",
        "will fire in 3 s; it is in the ledger already",
    ),
    (
        facts(row=row("scheduled"), now=MONDAY + 20 * SECOND),
        "late",
        "was due 20 s ago and nothing has claimed it yet: no worker of the tenant's pool has a free slot for "
        "it, or none is running",
    ),
    (
        facts(
            row=row("scheduled", "queued", overlap="queue_all"),
            now=MONDAY + 20 * SECOND,
            before=MONDAY - HOUR,
        ),
        "late",
        "queued behind the one of 2026-11-23 08:00 LONDON, for 20 s: overlap is queue_all",
    ),
    (
        facts(
            "2026-11-23",
            tallies=(
                Tally(TriggerState.COMPLETED, 20, MONDAY),
                Tally(TriggerState.FAILED, 2, MONDAY - HOUR),
            ),
        ),
        "several",
        "22 fires: 20 completed (the last at 2026-11-23 09:00 LONDON), 2 failed (the last at "
        "2026-11-23 08:00 LONDON); ask for one of them",
    ),
]

WITHOUT_A_ROW: list[tuple[Facts, str, str]] = [
    (facts("2026-11-30 09:00", now=instant("2026-11-30T06:00")), "will_fire", "will fire in 3 h"),
    (facts("2026-11-30"), "will_fire", "will fire in 5 d 21 h"),
    (
        facts("2026-11-25", version("every hour"), cursor=NOW),
        "will_fire",
        "24 fires, of which the first will fire in 12 h",
    ),
    (
        facts("2026-11-30 09:00", version({**WEEKLY, "jitter": "1h"}), now=instant("2026-11-30T08:59:50")),
        "will_fire",
        "will fire in 53 min 3 s, at 2026-11-30 09:52:53.077 LONDON by its jitter and spread",
    ),
    (
        facts("2026-11-30 09:00", pauses=(Pause(ADA),)),
        "will_not_fire",
        'paused by ada at 2026-11-20 10:00 LONDON, "not today": will not fire before it is resumed',
    ),
    (
        facts("2026-11-30 09:00", pauses=(Pause(EDITED, until=instant("2026-12-01T00:00")),)),
        "will_not_fire",
        "paused by ada at 2026-11-20 10:00 LONDON: will not fire before 2026-12-01 00:00 LONDON",
    ),
    (
        facts("2026-11-30 09:00", pauses=(Pause(EDITED, until=instant("2026-11-30T00:00")),)),
        "will_fire",
        "will fire in 5 d 21 h",
    ),
    (
        facts(pauses=(Pause(ADA),)),
        "skipped",
        'skipped: the schedule was paused by ada at 2026-11-20 10:00 LONDON, "not today", and still is',
    ),
    (
        facts(cursor=MONDAY - HOUR),
        "late",
        "was due 1 d 3 h ago and is not allocated yet: no worker has looked at the schedule since 2026-11-23 "
        "08:00 LONDON; catch-up is all: it runs as soon as one does",
    ),
    (facts(), "unknown", NOTHING),
    (
        facts("2026-03-02 09:00", retention=timedelta(days=90)),
        "unknown",
        "a fire of this rule, but the ledger is kept for 90 days",
    ),
    (
        facts("2026-11-16 09:00", OLD, NEW),
        "no_fire",
        "the rule at that time was another, every week on monday at 08:00 LONDON (edited by ada at "
        "2026-11-20 10:00 LONDON); the nearest are 2026-11-16 08:00 and 2026-11-23 08:00 LONDON",
    ),
    (
        facts("2026-11-23 08:00", OLD, NEW),
        "no_fire",
        "the rule that fires then, every week on monday at 08:00 LONDON, had been replaced by every week "
        "on monday at 09:00 LONDON (edited by ada at 2026-11-20 10:00 LONDON); the nearest are "
        "2026-11-16 09:00 and 2026-11-23 09:00 LONDON",
    ),
    (
        facts("2026-11-16 08:00", OLD, NEW),
        "skipped",
        "superseded: nothing had allocated it when the schedule was changed by ada at 2026-11-20 10:00 "
        "LONDON",
    ),
    (
        facts("2026-11-24 09:00"),
        "no_fire",
        "not a fire of this rule: every week on monday at 09:00 LONDON; the nearest are 2026-11-23 09:00 "
        "and 2026-11-30 09:00 LONDON",
    ),
    (
        facts("2025-12-01 09:00"),
        "no_fire",
        "before the schedule existed: it was created by ada at 2026-01-01 00:00 LONDON",
    ),
    (
        facts("2026-11-30 09:00", GONE),
        "no_fire",
        "the schedule did not exist then: it was deleted by ada at 2026-11-20 10:00 LONDON",
    ),
    (
        facts("2026-11-24 18:00", version("2026-11-23 18:00")),
        "no_fire",
        "after the end of this rule: 2026-11-23 18:00; the nearest is 2026-11-23 18:00 UTC",
    ),
    (
        facts("2026-11-22 18:00", version("2026-11-23 18:00")),
        "no_fire",
        "before the first fire of this rule: 2026-11-23 18:00; the nearest is 2026-11-23 18:00 UTC",
    ),
]

NEXT = instant("2026-11-30T09:00")
SKIP = Change(ChangeKind.SKIP, NEXT, ADA)
MOVE = Change(ChangeKind.MOVE, NEXT, EDITED, NEXT + HOUR)
LEFT_OUT = row("skipped", "operator", due=NEXT)
MOVED = row(due=NEXT, planned=NEXT + HOUR, started_at=NEXT + HOUR, finished_at=NEXT + HOUR, allocated_at=NEXT)
NEAR_MONDAY = "the nearest are 2026-11-16 09:00 and 2026-11-30 09:00"

CHANGED_FIRES: list[tuple[Facts, str, str]] = [
    (
        facts("2026-11-30 09:00", changes=(SKIP,)),
        "will_not_fire",
        'will not fire: left out by ada at 2026-11-20 10:00 LONDON, "not today"',
    ),
    (
        facts("2026-11-30 09:00", row=LEFT_OUT, changes=(SKIP,)),
        "skipped",
        'skipped: this fire was left out by ada at 2026-11-20 10:00 LONDON, "not today"',
    ),
    (
        facts("2026-11-30 09:00", changes=(MOVE,)),
        "will_fire",
        "will fire in 5 d 22 h, at 2026-11-30 10:00 LONDON, moved by ada at 2026-11-20 10:00 LONDON",
    ),
    (
        facts("2026-11-30 09:00", row=MOVED, changes=(MOVE,)),
        "completed",
        "fired on time of its planned 2026-11-30 10:00 LONDON, moved by ada at 2026-11-20 10:00 LONDON, "
        "completed in 0 ms",
    ),
    (
        facts("2026-11-30 10:00", changes=(MOVE,)),
        "no_fire",
        "the fire of 2026-11-30 09:00 LONDON was moved here by ada at 2026-11-20 10:00 LONDON; the nearest "
        "are 2026-11-30 09:00 and 2026-12-07 09:00 LONDON",
    ),
    (
        facts(row=row("skipped", "holiday"), backfill=row()),
        "skipped",
        "skipped: holiday; a backfill made up for it",
    ),
    (
        facts(row=row("skipped", "holiday"), backfill=row("scheduled")),
        "skipped",
        "skipped: holiday; a backfill will make up for it",
    ),
    (facts(backfill=row("failed")), "unknown", f"{NOTHING}; a backfill was to make up for it: failed"),
]

EXCLUDED: list[tuple[Facts, str, str]] = [
    (
        facts("2026-11-23 09:00", version({**WEEKLY, "exclude": ["2026-11-23", "2027-01-01"]})),
        "no_fire",
        f"excluded: the rule leaves out 2026-11-23; {NEAR_MONDAY} LONDON",
    ),
    (
        facts("2026-11-23 09:00", closed(), calendars=HOLIDAYS),
        "no_fire",
        f"excluded by calendar holidays: the day is in it; {NEAR_MONDAY} LONDON",
    ),
    (
        facts("2026-11-30 09:00", closed(only=["holidays"]), calendars=HOLIDAYS),
        "no_fire",
        "excluded by calendar holidays: the rule fires only on days of holidays; the nearest is 2026-11-23 "
        "09:00 LONDON",
    ),
]

CLOCK_CHANGES: list[tuple[Facts, str, str]] = [
    (
        facts("2026-03-29 01:30", version({**GAP, "dst_gap": "skip"})),
        "no_fire",
        "clock change: 01:30 does not exist on that day, clocks skip it: dst_gap is skip; the nearest are "
        "2026-03-28 01:30 and 2026-03-30 01:30 LONDON",
    ),
    (
        facts("2026-03-29 01:30", version(GAP), row=AT_THE_GAP),
        "completed",
        "clock change: 01:30 does not exist on that day, clocks skip it: fired on time, completed in 0 ms",
    ),
    (
        facts("2026-03-29T01:00Z", version({**GAP, "dst_gap": "skip"})),
        "no_fire",
        "clock change: that wall time is skipped, dst_gap is skip; the nearest are 2026-03-28 01:30 and "
        "2026-03-30 01:30 LONDON",
    ),
    (
        facts("2026-03-29 01:45", version({**GAP, "at": "10:00"})),
        "no_fire",
        "clock change: 01:45 does not exist on that day, clocks skip it: not a fire of this rule: every day "
        "at 10:00 LONDON; the nearest are 2026-03-28 10:00 and 2026-03-29 10:00 LONDON",
    ),
    (
        facts("2026-10-25T01:30Z", version(GAP)),
        "no_fire",
        "clock change: clocks show that time twice, and dst_overlap is first; the nearest are 2026-10-25 "
        "01:30 and 2026-10-26 01:30 LONDON",
    ),
]


@pytest.mark.parametrize(
    ("known", "outcome", "sentence"),
    [*LEDGER, *WITHOUT_A_ROW, *CHANGED_FIRES, *EXCLUDED, *CLOCK_CHANGES],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_sentence_says_what_the_facts_mean(known: Facts, outcome: str, sentence: str) -> None:
    answer = explain(known)
    assert (answer.outcome, answer.sentence) == (outcome, sentence.replace("LONDON", "Europe/London"))
