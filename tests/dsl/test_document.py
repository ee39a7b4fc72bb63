import pytest
from pydantic import JsonValue

from dsl.document import Document, read_document
from dsl.events import MAX_NODES


def document_of(text: str | bytes) -> Document:
    document, problems = read_document(text)
    assert document is not None
    assert problems == []
    return document


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("on", "on"), ("yes", "yes"), ("no", "no"), ("off", "off"), ("y", "y"),
        ("12:30", "12:30"), ("1:2:3", "1:2:3"), ("2026-12-24", "2026-12-24"), ("1_000", "1_000"), ("0b11", "0b11"),
        ("010", 10), ("0o10", 8), ("0x1F", 31), ("-7", -7), ("+7", 7),
        ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("-0.0", -0.0), ("1.", 1.0),
        ("true", True), ("TRUE", True), ("tRUE", "tRUE"), ("False", False),
        ("null", None), ("~", None), ("", None), ("Null", None), ("nULL", "nULL"),
        ("'1'", "1"), ('"null"', "null"), ("'it''s'", "it's"), (r'"a\tb"', "a\tb"), (r'"\u00e9"', "é"),
        ("9223372036854775807", 9223372036854775807), ("=", "="), ("<<", "<<"), ("-", [None]), ("- ", [None]),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(written: str, value: JsonValue) -> None:
    found = document_of(f"key: {written}" if written not in ("-", "- ") else f"key:\n  {written}").value
    assert repr(found) == repr({"key": value})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2.5, true, null, "x"]}', {"a": [1, 2.5, True, None, "x"]}),
        (r'{"a": "\ud83d\ude00 \" \\ \/ \u00e9"}', {"a": '\U0001f600 " \\ / é'}),
        ("a: |\n  one\n  two\n", {"a": "one\ntwo\n"}),
        ("a: >-\n  one\n  two\n", {"a": "one two"}),
        ("a: {b: [c, d]}", {"a": {"b": ["c", "d"]}}),
        ("a: 1\r\nb: 2\r\n", {"a": 1, "b": 2}),
        ("\ufeffa: 1", {"a": 1}),
        ("%YAML 1.2\n---\na: 1\n...\n", {"a": 1}),
        ("1: a\ntrue: b\nnull: c\n", {"1": "a", "true": "b", "null": "c"}),
    ],
)
def test_documents_are_plain_values(text: str, value: JsonValue) -> None:
    assert document_of(text).value == value


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "1:1: document: is empty; an action has at least a name and stages"),
        ("# only a comment\n", "1:1: document: is empty; an action has at least a name and stages"),
        ("a: 1\n---\nb: 2\n", "2:1: document: only one document is allowed"),
        ("a: [1\n", "2:1: document: while parsing a flow sequence, did not find expected ',' or ']'; it begins at line 1, column 4"),
        ('a: "x\nb: 1\n', "3:1: document: while scanning a quoted scalar, found unexpected end of stream; it begins at line 1, column 4"),
        ("a: b: c\n", "1:5: document: mapping values are not allowed in this context; put quotes around a text that contains ': ', or check how the line is indented"),
        ("a: 1\n\tb: 2\n", "2:1: document: while scanning a plain scalar, found a tab character that violates indentation; indent with spaces, not with tabs"),
        ("a:\n  {b: ${{ c }}}\n", "2:8: document: while parsing a flow mapping, did not find expected ',' or '}'; put quotes around a text that contains ${{ }}"),
        ("a: @x\n", "1:4: document: while scanning for the next token, found character that cannot start any token; put quotes around a text that begins with one of * & ! % @ ` { ["),
        ("a: x\0", "1:5: document: control characters are not allowed (U+0000)"),
        ("é: \U0001f600\x07", "1:5: document: control characters are not allowed (U+0007)"),
        ("a: \ud800", "1:1: document: not Unicode text"),
        (b"a: 1\n\xc3\xa9: \xff\n", "2:4: document: not UTF-8 text; save it as UTF-8"),
        ("a: 1\na: 2\n", "2:1: a: the key 'a' is there already"),
        ("x: {a: 1, a: 2}\n", "1:11: x.a: the key 'a' is there already"),
        ("a: &b 1\n", "1:4: a: anchors are not allowed; put a text that begins with & in quotes"),
        ("a: [x, *b]\n", "1:8: a[1]: aliases are not allowed; put a text that begins with * in quotes"),
        ("a: !!str 1\n", "1:4: a: tags are not allowed; put a text that begins with ! in quotes"),
        ("? [a]\n: b\n", "1:3: document: a key must be a plain text"),
        ("a: 9223372036854775808\n", "1:4: a: the number 9223372036854775808 is too large; put it in quotes if it is a text"),
        ("a: 1e999\n", "1:4: a: the number 1e999 is too large; put it in quotes if it is a text"),
        ("a: .nan\n", "1:4: a: .nan is not a number that JSON knows; put it in quotes if it is a text"),
        ("[" * 61, "1:61: document: nested deeper than 60 levels"),
        ("[" + "1," * MAX_NODES + "]", "1:40000: document: more than 20000 values"),
        ("a" * (512 * 1024 + 1), "1:1: document: larger than 512 KiB"),
        (b"\xff" * (1024 * 1024), "1:1: document: larger than 512 KiB"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_has_a_place(text: str | bytes, line: str) -> None:
    _, problems = read_document(text)
    assert [problem.render("a.yaml") for problem in problems] == [f"a.yaml:{line}"]


def test_all_that_is_not_allowed_is_reported_at_once() -> None:
    _, problems = read_document("a: &x 1\na: *x\nb: !t 2\nc: .inf\n")
    assert [(problem.line, problem.column) for problem in problems] == [
        (1, 4),
        (2, 1),
        (2, 4),
        (3, 4),
        (4, 4),
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("key: one X two", (1, 10)),
        ("key: 'one X two'", (1, 11)),
        ('key: "one X two"', (1, 11)),
        ("key: 'it''s X'", (1, 13)),
        (r'key: "a \"b\" X"', (1, 15)),
        (r'key: "\u00e9\x41\U0001f600 X"', (1, 28)),
        (r'{"key": "\ud83d\ude00 \ud83d\ude00 X"}', (1, 36)),
        (r'{"key": "a \"b\" X", "n": 1}', (1, 18)),
        ("key: \U0001f600 X", (1, 8)),
        ("key: |\n  one\n  two X\n", (3, 7)),
        ("key: |-\r\n  one\r\n    two X\r\n", (3, 9)),
        ("key: >\n  one\n  two X\n", (3, 7)),
        ("key: >-\n\n  one\n\n  two X three\n  four\n", (5, 7)),
        ("key: one\n  two X\n  three", (2, 7)),
        ("key: {deep: [a, one X]}", (1, 21)),
        ("\ufeffkey: X", (1, 6)),
        ("key: 'one\n  X'", (1, 6)),
        ('key: "one \\\n  X"', (1, 6)),
    ],
)
def test_a_character_of_a_text_is_found_in_the_file(text: str, place: tuple[int, int]) -> None:
    document = document_of(text)
    path: tuple[str | int, ...] = ("key", "deep", 1) if "deep" in text else ("key",)
    value: JsonValue = document.value
    for part in path:
        value = value[part]  # type: ignore[index, call-overload]  # The table has no others.
    assert isinstance(value, str)
    assert document.at_offset(path, value.index("X")) == place


def test_a_missing_value_has_the_place_of_what_should_hold_it() -> None:
    document = document_of("a:\n  - id: first\n")
    assert document.at(("a", 0, "uses")) == (2, 5)


def test_a_path_names_ids_instead_of_indexes() -> None:
    document = document_of("stages: [{id: first, with: {rows: [1]}}, {uses: x}]")
    assert [
        document.where(path) for path in (("stages", 0, "with", "rows", 0), ("stages", 1, "uses"), ())
    ] == [
        "stages.first.with.rows[0]",
        "stages[1].uses",
        "document",
    ]
