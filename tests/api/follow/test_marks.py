import pytest

from api.follow.marks import FINISHED, STARTED, Mark, Marks, read_marks, short
from cronny.errors import Invalid
from cronny.store.live import LogLine, Unit

WORK = Unit("trg_1", "work")
LONG = Unit("trg_1", "a_stage_with_a_long_name.undo")
LINES = [LogLine("one"), LogLine("two"), LogLine("three")]


def item(number: int) -> Unit:
    return Unit("trg_1", "each", number)


def sent(count: int) -> Mark:
    mark = Mark(1, STARTED)
    for line in LINES[:count]:
        mark.add(line)
    return mark


def some_marks() -> Marks:
    marks = Marks("executing:")
    marks.units["work", -1] = sent(2)
    marks.of(LONG).attempt = 3
    marks.finish(LONG)
    marks.units["each", 7] = sent(1)
    for number in (0, 1, 2, 5):
        marks.finish(item(number))
    return marks


def test_a_reader_goes_on_where_the_id_says() -> None:
    marks = some_marks()
    assert read_marks(str(marks)) == marks


def test_an_id_is_short_and_fits_a_header() -> None:
    text = str(some_marks())
    assert text.isascii()
    assert text.isprintable()
    assert len(text) < 100


@pytest.mark.parametrize("last", [None, ""])
def test_without_an_id_everything_is_new(last: str | None) -> None:
    assert read_marks(last) == Marks()


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "1",
        "2;",
        "1;executing:;work",
        "1;executing:;work:1q",
        "1;executing:;each*5",
        "1;é",
        "1;" + "a" * 70_000,
    ],
    ids=lambda text: text[:30],
)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="this is no id of ours"):
        read_marks(text)


def test_lines_that_were_sent_are_not_sent_again() -> None:
    assert sent(2).left(LINES) == (False, LINES[2:])


def test_the_lines_of_another_execution_are_all_sent() -> None:
    other = [LogLine("one"), LogLine("deux"), LogLine("three")]
    assert sent(2).left(other) == (True, other)


def test_an_execution_with_fewer_lines_is_another_one() -> None:
    assert sent(2).left(LINES[:1]) == (True, LINES[:1])


def test_items_that_are_done_are_ranges() -> None:
    marks = Marks()
    for number in (3, 0, 1, 2, 9):
        marks.finish(item(number))
    assert (marks.done["each"], marks.count("each")) == ([(0, 3), (9, 9)], 5)
    assert list(marks.gaps("each")) == [(4, 8), (10, None)]
    assert [marks.is_done(item(number)) for number in (0, 4, 9)] == [True, False, True]


def test_a_finished_stage_keeps_no_lines() -> None:
    marks = Marks()
    marks.units["work", -1] = sent(3)
    marks.finish(WORK)
    assert (str(marks), marks.of(WORK).phase) == ("1;;work:1f", FINISHED)


def test_long_ids_of_stages_stand_for_themselves_in_short() -> None:
    assert short("work") == "work"
    assert len({short(f"a_long_name_of_a_stage_{number}") for number in range(1000)}) == 1000
