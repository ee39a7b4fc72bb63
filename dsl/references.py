"""The names that an expression uses, found in its tokens: `stages.fetch.output.body["orders"]`."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from dsl.tokens import Token, tokens

_BINDERS = {"all", "exists", "exists_one", "existsOne", "map", "filter", "bind", "optMap", "optFlatMap"}
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
TypeT = TypeVar("TypeT")
_NO_TOKEN = Token("", "", 0)


@dataclass(frozen=True)
class Reference:
    """A name and the fields and indexes that follow it as far as they are constant."""

    parts: tuple[str | int, ...]
    offsets: tuple[int, ...]  #: Of each part, in the expression.
    is_tested: bool = False  #: It is what `has()` asks for.

    @property
    def root(self) -> str:
        """The name at the beginning."""
        return str(self.parts[0])

    def __str__(self) -> str:
        rest = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.parts[1:])
        return self.root + "".join(rest)


def references(text: str) -> list[Reference]:
    """The references of an expression in order, without the variables that its macros bind."""
    found = list(tokens(text))
    used: list[Reference] = []
    brackets: list[str] = []  # The variable that each open one binds, mostly none.
    bound: Counter[str] = Counter()
    for index, token in enumerate(found):
        if token.text in _OPENING:
            brackets.append(_bound_by(found, index))
            bound[brackets[-1]] += 1
        elif token.text in _CLOSING and brackets:
            bound[brackets.pop()] -= 1
        elif token.kind == "name" and not bound[token.text] and _is_root(found, index):
            used.append(_reference(found, index))
    return used


def stages_used(expressions: Iterable[str]) -> frozenset[str]:
    """The ids of the stages that some expressions refer to."""
    return frozenset(
        str(reference.parts[1])
        for text in expressions
        for reference in references(text)
        if reference.root == "stages" and len(reference.parts) > 1
    )


def variables_used(found: Iterable[Reference], types: Mapping[str, TypeT]) -> dict[str, TypeT]:
    """The variables of a scope that some references name, with their types."""
    names: dict[str, TypeT] = {}
    for reference in found:
        for length in (3, 2, 1):
            name = ".".join(str(part) for part in reference.parts[:length])
            if name in types:
                names[name] = types[name]
    return names


def _at(found: Sequence[Token], index: int) -> Token:
    return found[index] if 0 <= index < len(found) else _NO_TOKEN


def _is_root(found: Sequence[Token], index: int) -> bool:
    if _at(found, index + 1).text == "(":
        return False
    before = index - 1
    if _at(found, before).text == "?" and _at(found, before - 1).text == ".":
        before -= 1
    return _at(found, before).text != "." or not _is_operand(_at(found, before - 1))


def _is_operand(token: Token) -> bool:
    return token.kind in ("name", "text", "number") or token.text in (")", "]", "}")


def _bound_by(found: Sequence[Token], opening: int) -> str:
    """The variable that a macro binds inside the bracket it opens with, if it is one."""
    macro, variable = _at(found, opening - 1), _at(found, opening + 1)
    is_macro = macro.text in _BINDERS and _at(found, opening - 2).text == "."
    if not is_macro or variable.kind != "name" or _at(found, opening + 2).text != ",":
        return ""
    return variable.text


def _reference(found: Sequence[Token], start: int) -> Reference:
    parts: list[str | int] = [found[start].text]
    offsets = [found[start].offset]
    index = start + 1
    while step := _step(found, index):
        part, offset, index = step
        parts.append(part)
        offsets.append(offset)
    is_tested = [token.text for token in found[max(start - 2, 0) : start]] == ["has", "("]
    return Reference(tuple(parts), tuple(offsets), is_tested and _at(found, index).text == ")")


def _step(found: Sequence[Token], index: int) -> tuple[str | int, int, int] | None:
    """The next constant part of a reference, its offset, and the index after it."""
    mark, part, after = (_at(found, index + step) for step in range(3))
    if mark.text == "." and part.kind == "name" and after.text != "(":
        return part.text, part.offset, index + 2
    if mark.text == "[" and after.text == "]":
        if part.kind == "number" and part.text.isdecimal():
            return int(part.text[:9]), part.offset, index + 3
        if part.kind == "text" and part.text[0] in "\"'" and "\\" not in part.text:
            return part.text.strip(part.text[0]), part.offset, index + 3
    return None
