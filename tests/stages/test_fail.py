import pytest
from pydantic import ValidationError

from activities.stages.fail import FAIL, FailWith
from tests.stages.contexts import brief, failure


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "validation"),
        ({"code": "http.status"}, "http.status"),
        ({"code": "orders.empty"}, "orders.empty"),
    ],
)
async def test_the_error_is_the_one_asked_for(fields: dict[str, str], code: str) -> None:
    assert brief(await failure(FAIL, {"message": "no rows", **fields})) == (code, "no rows", False)


@pytest.mark.parametrize("code", ["", "No", "a.", ".a", "a b", "1a", "a\n"])
def test_a_code_is_small_letters_and_points(code: str) -> None:
    with pytest.raises(ValidationError):
        FailWith.model_validate({"message": "x", "code": code})
