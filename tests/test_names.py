import pytest

from cronny.names import is_name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acme", True),
        ("a-b_9", True),
        ("a" * 63, True),
        ("a" * 64, False),
        ("", False),
        ("9a", False),
        ("A", False),
        ("acme\n", False),
        ("../x", False),
        ("a\0", False),
    ],
)
def test_names_are_short_lower_case_words(text: str, expected: bool) -> None:
    assert is_name(text) is expected
