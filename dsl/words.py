"""The words of a phrase with their columns, and the error that points at one of them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dsl.problems import Problem, did_you_mean

PHRASE_LIMIT = 100_000  # characters; more than any rule needs that keeps to the limits of its parts
_WORD = re.compile(r"[^\s,]+|,")
_SHOWN = 40  # characters of a word that a message repeats


class PhraseError(ValueError):
    """A phrase cannot be understood."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(f"column {problem.column}: {problem.what}")


@dataclass(frozen=True)
class Word:
    """A word in lower case, as it was written, and where it begins (from 1)."""

    lower: str
    text: str
    column: int

    @property
    def shown(self) -> str:
        """The word in quotes, cut and made printable."""
        text = self.text if len(self.text) <= _SHOWN else self.text[: _SHOWN - 1] + "…"
        return f"'{text}'" if text.isprintable() else ascii(text)


class Words:
    """A cursor over the words of one phrase."""

    def __init__(self, text: str) -> None:
        self._words = [Word(m[0].lower(), m[0], m.start() + 1) for m in _WORD.finditer(text[:PHRASE_LIMIT])]
        self._index = 0
        self._end = Word("", "", min(len(text.rstrip()), PHRASE_LIMIT) + 1)
        if len(text) > PHRASE_LIMIT:
            raise self.error(self._end, "schedule", f"more than {PHRASE_LIMIT} characters")

    def __bool__(self) -> bool:
        return self._index < len(self._words)

    def peek(self, ahead: int = 0) -> Word:
        """The word that comes next (or `ahead` later), or an empty one behind the last."""
        index = self._index + ahead
        return self._words[index] if index < len(self._words) else self._end

    def take(self) -> Word:
        """The next word, now behind the cursor."""
        word = self.peek()
        self._index += 1
        return word

    def skip(self, count: int) -> None:
        """Move over `count` words."""
        self._index += count

    def accept(self, *expected: str) -> bool:
        """Whether the next word is one of `expected`; if so it is taken."""
        if not self or self.peek().lower not in expected:
            return False
        self._index += 1
        return True

    def continues(self, begins: Callable[["Words"], bool]) -> bool:
        """Whether a comma or `and` follows with something behind it that `begins` accepts; both are taken."""
        start = self._index
        while self.accept(",", "and", "&"):
            pass
        if self._index > start and self and begins(self):
            return True
        self._index = start
        return False

    def error(self, word: Word, where: str, what: str, hint: str = "", code: str = "invalid") -> PhraseError:
        """The error that says what is wrong with `word`."""
        return PhraseError(Problem(where, what, hint, code, column=word.column))

    def unknown(
        self, word: Word, where: str, thing: str, known: Iterable[str], hint: str = ""
    ) -> PhraseError:
        """The error for a word that is not one of `known`, with the closest of them as its hint."""
        if not word.text:
            return self.error(word, where, f"{thing} is missing at the end", hint)
        return self.error(word, where, f"no {thing} {word.shown}", did_you_mean(word.lower, known) or hint)
