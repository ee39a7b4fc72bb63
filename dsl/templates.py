"""Texts with expressions inside: `${{ expression }}`; `$${{` stands for the characters `${{`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from dsl.tokens import tokens

Path = tuple[str | int, ...]

_OPENING = re.compile(r"\$?\$\{\{")
_WIDTH = len("${{")


class TemplateError(ValueError):
    """A template is not closed; `offset` is where it opens."""

    def __init__(self, offset: int) -> None:
        super().__init__("this ${{ has no }}")
        self.offset = offset


@dataclass(frozen=True)
class Literal:
    """Characters that stay as they are."""

    text: str


@dataclass(frozen=True)
class Expression:
    """An expression and the offset of its first character in the whole text."""

    text: str
    offset: int


def parse_template(text: str) -> list[Literal | Expression]:
    """The parts of a text in order; raises TemplateError."""
    parts: list[Literal | Expression] = []
    at, literal = 0, ""
    while opening := _OPENING.search(text, at):
        literal += text[at : opening.start()]
        at = opening.end()
        if len(opening[0]) > _WIDTH:
            literal += "${{"
            continue
        end = _end(text, at)
        if literal:
            parts.append(Literal(literal))
        parts.append(_trimmed(text[at:end], at))
        at, literal = end + 2, ""
    literal += text[at:]
    return [*parts, Literal(literal)] if literal or not parts else parts


def is_template(value: JsonValue) -> bool:
    """Whether a value is a text with an expression, or with an escaped opening, in it."""
    return isinstance(value, str) and "${{" in value


def whole_expression(text: str) -> Expression | None:
    """The expression that a text consists of, if it is exactly one."""
    match parse_template(text):
        case [Expression() as expression]:
            return expression
    return None


def templates_in(value: JsonValue, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Each text with `${{` inside a value, and its path; keys are no templates."""
    if isinstance(value, str):
        if "${{" in value:
            yield path, value
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from templates_in(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from templates_in(child, (*path, index))


def expressions_in(value: JsonValue, path: Path = ()) -> Iterator[tuple[Path, str, int]]:
    """Each expression inside a value: the path of its text, the expression, its offset in that text."""
    for place, text in templates_in(value, path):
        for part in parse_template(text):
            if isinstance(part, Expression):
                yield place, part.text, part.offset


def _end(text: str, start: int) -> int:
    """Where the `}}` stands; braces of maps inside the expression are balanced, texts are passed over."""
    depth = 0
    for token in tokens(text, start):
        if token.kind != "mark":
            continue
        if token.text == "{":
            depth += 1
        elif token.text == "$" and text.startswith("${{", token.offset):
            break  # No expression has a $; looking on at each opening would take time by its square.
        elif token.text == "}" and depth:
            depth -= 1
        elif token.text == "}" and text.startswith("}}", token.offset):
            return token.offset
    end = text.find("}}", start)  # Unbalanced inside: what stands before the first }} gets a proper message.
    if end < 0:
        raise TemplateError(start - _WIDTH)
    return end


def _trimmed(text: str, offset: int) -> Expression:
    return Expression(text.strip(), offset + len(text) - len(text.lstrip()))
