import gc

from cronny.heap import freeze_heap


def test_what_is_there_is_not_looked_at_again() -> None:
    gc.unfreeze()
    freeze_heap()
    frozen = gc.get_freeze_count()
    gc.unfreeze()
    assert frozen > 1000
