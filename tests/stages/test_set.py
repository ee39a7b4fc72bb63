import pytest

from activities.stages.set import SET
from tests.stages.contexts import run


@pytest.mark.parametrize("values", [{}, {"a": None, "b": [1, {"c": 1.5}], "ä": "x"}])
async def test_the_values_are_the_output(values: dict[str, object]) -> None:
    assert await run(SET, {"values": values}) == values
