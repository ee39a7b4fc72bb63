import pytest

from cronny.scheduling.overlap import Decision, Others, Overlap, Turn, decide

ALONE = Others()
BUSY = Others(running=["a", "b"])
RUN, SKIP, QUEUE = Decision(Turn.RUN), Decision(Turn.SKIP), Decision(Turn.QUEUE)


@pytest.mark.parametrize("is_waiting", [False, True])
@pytest.mark.parametrize("overlap", Overlap)
def test_a_trigger_that_is_alone_executes(overlap: Overlap, is_waiting: bool) -> None:
    assert decide(overlap, ALONE, is_waiting) == RUN


@pytest.mark.parametrize(
    ("overlap", "decision"),
    [
        (Overlap.ALLOW, RUN),
        (Overlap.SKIP, SKIP),
        (Overlap.QUEUE_ONE, QUEUE),
        (Overlap.QUEUE_ALL, QUEUE),
        (Overlap.CANCEL_RUNNING, Decision(Turn.QUEUE, cancel=("a", "b"))),
        (Overlap.KILL_RUNNING, Decision(Turn.RUN, kill=("a", "b"))),
    ],
)
def test_while_others_execute_the_policy_decides(overlap: Overlap, decision: Decision) -> None:
    assert decide(overlap, BUSY, is_waiting=False) == decision


@pytest.mark.parametrize(
    ("overlap", "others", "is_waiting", "decision"),
    [
        (Overlap.SKIP, Others(ahead=["a"]), False, SKIP),
        (Overlap.QUEUE_ONE, Others(ahead=["a"]), False, SKIP),
        (Overlap.QUEUE_ONE, Others(["r"], behind=["a"]), False, SKIP),
        (Overlap.QUEUE_ONE, Others(["r"], ahead=["a"]), True, QUEUE),
        (Overlap.QUEUE_ONE, Others(behind=["a"]), True, RUN),
        (Overlap.QUEUE_ALL, Others(ahead=["a"]), True, QUEUE),
        (Overlap.QUEUE_ALL, Others(behind=["a"]), True, RUN),
        (Overlap.CANCEL_RUNNING, Others(["r"], behind=["a"]), False, SKIP),
        (Overlap.CANCEL_RUNNING, Others(["r"], ["a"]), False, Decision(Turn.QUEUE, ("r",), (), ("a",))),
        (Overlap.CANCEL_RUNNING, Others(ahead=["a"]), False, Decision(Turn.RUN, leave_out=("a",))),
    ],
)
def test_those_that_wait_have_their_place(
    overlap: Overlap, others: Others, is_waiting: bool, decision: Decision
) -> None:
    assert decide(overlap, others, is_waiting) == decision
