"""Functions of texts."""

from dsl.functions.function import Form, Group, member

WIDEST = 10_000  # characters that a text is filled up to


def _pad_start(text: str, width: int, filler: str = " ") -> str:
    return _filling(text, width, filler) + text


def _pad_end(text: str, width: int, filler: str = " ") -> str:
    return text + _filling(text, width, filler)


def _filling(text: str, width: int, filler: str) -> str:
    if len(filler) != 1:
        raise ValueError("a text is filled up with one character")
    if width > WIDEST:
        raise ValueError(f"a text is filled up to {WIDEST} characters at most")
    return filler * (width - len(text))


def _truncate(text: str, width: int) -> str:
    if width < 1:
        raise ValueError("a text is cut to one character at least")
    return text if len(text) <= width else text[: width - 1] + "…"


TEXTS = Group(
    "Texts",
    (
        member("text.contains(part)", "Whether the part is in it.", "'order 7'.contains('7')", True),
        member("text.startsWith(part)", "Whether it begins so.", "'order 7'.startsWith('order')", True),
        member("text.endsWith(part)", "Whether it ends so.", "'a.csv'.endsWith('.csv')", True),
        member(
            "text.matches(pattern)",
            "Whether a regular expression (RE2) is found in it; `^` and `$` for all of it.",
            "'A-17'.matches('^[A-Z]-[0-9]+$')",
            True,
        ),
        member("text.split(separator)", "Its parts.", "'a,b'.split(',')", ["a", "b"]),
        member("list.join(separator)", "The texts of a list as one.", "['a', 'b'].join('-')", "a-b"),
        member("text.replace(old, new)", "With every `old` replaced.", "'1 000'.replace(' ', '')", "1000"),
        member("text.trim()", "Without white space at both ends.", "' a '.trim()", "a"),
        member(
            "text.upper()",
            "In capital letters.",
            "'größe'.upper()",
            "GRÖSSE",
            Form(("string",), "string", str.upper),
        ),
        member(
            "text.lower()",
            "In small letters.",
            "'ÄB'.lower()",
            "äb",
            Form(("string",), "string", str.lower),
        ),
        member("text.substring(start, end)", "From `start` to before `end`.", "'abcd'.substring(1, 3)", "bc"),
        member("text.indexOf(part)", "Where the part begins; -1 if nowhere.", "'abc'.indexOf('c')", 2),
        member("text.lastIndexOf(part)", "Where the last one begins.", "'abab'.lastIndexOf('a')", 2),
        member("text.charAt(index)", "The character at an index from 0.", "'abc'.charAt(1)", "b"),
        member("text.reverse()", "Backwards.", "'abc'.reverse()", "cba"),
        member(
            "text.removePrefix(part)",
            "Without the part that it begins with.",
            "'v1.2'.removePrefix('v')",
            "1.2",
            Form(("string", "string"), "string", str.removeprefix),
        ),
        member(
            "text.removeSuffix(part)",
            "Without the part that it ends with.",
            "'a.csv'.removeSuffix('.csv')",
            "a",
            Form(("string", "string"), "string", str.removesuffix),
        ),
        member(
            "text.padStart(width, filler)",
            "Filled up in front with a character, a space unless given.",
            "'7'.padStart(3, '0')",
            "007",
            Form(("string", "int"), "string", _pad_start),
            Form(("string", "int", "string"), "string", _pad_start),
        ),
        member(
            "text.padEnd(width, filler)",
            "Filled up at its end.",
            "'7'.padEnd(3, '.')",
            "7..",
            Form(("string", "int"), "string", _pad_end),
            Form(("string", "int", "string"), "string", _pad_end),
        ),
        member(
            "text.truncate(width)",
            "Cut to so many characters, `…` included.",
            "'a long text'.truncate(7)",
            "a long…",
            Form(("string", "int"), "string", _truncate),
        ),
        member(
            "text.lines()",
            "Its lines.",
            "'a\\nb\\n'.lines()",
            ["a", "b"],
            Form(("string",), "list", str.splitlines),
        ),
        member(
            "text.format(list)",
            "With `%s`, `%d`, `%.2f`, `%x` replaced by the values of a list.",
            "'%s costs %.2f'.format(['tea', 1.5])",
            "tea costs 1.50",
        ),
    ),
)
