"""What becomes of a trigger whose action executes as often at once as it may."""

import pytest

from cronny.scheduling.overlap import Decision, Turn
from cronny.scheduling.places import OnLimit, Places, decide_place


@pytest.mark.parametrize(
    ("places", "turn"),
    [
        (Places(2), Turn.RUN),
        (Places(2, running=["a"]), Turn.RUN),
        (Places(2, running=["a", "b"]), Turn.QUEUE),
        (Places(2, running=["a"], leaving=1), Turn.QUEUE),
        (Places(2, running=["a"], ahead=["b"]), Turn.QUEUE),
        (Places(2, running=["a"], behind=["b", "c"]), Turn.RUN),
        (Places(1, running=["a", "b"]), Turn.QUEUE),
    ],
)
def test_who_comes_first_has_the_place(places: Places, turn: Turn) -> None:
    assert decide_place(OnLimit.QUEUE, places).turn is turn
    assert decide_place(OnLimit.SKIP, places).turn is (Turn.SKIP if turn is Turn.QUEUE else turn)


@pytest.mark.parametrize(
    ("places", "decision"),
    [
        (Places(2, running=["a"]), Decision(Turn.RUN)),
        (Places(2, running=["a", "b"]), Decision(Turn.QUEUE, cancel=("a",))),
        (Places(1, running=["a"]), Decision(Turn.QUEUE, cancel=("a",))),
        (Places(1, leaving=1, ahead=["b"]), Decision(Turn.QUEUE, leave_out=("b",))),
        (Places(1, ahead=["b"]), Decision(Turn.RUN, leave_out=("b",))),
        (Places(1, leaving=1, behind=["c"]), Decision(Turn.SKIP)),
        (Places(2, running=["a", "b"], leaving=1, ahead=["c"]), Decision(Turn.QUEUE, cancel=("a", "b"))),
        (Places(3, leaving=3, ahead=["c", "d", "e"]), Decision(Turn.QUEUE, leave_out=("c",))),
    ],
)
def test_the_newest_keep_the_places(places: Places, decision: Decision) -> None:
    assert decide_place(OnLimit.CANCEL_RUNNING, places) == decision
