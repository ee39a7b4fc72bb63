"""Cut an expression into tokens: enough to find its end and the names it uses, not to judge it."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
    (?P<space> \s+ | //(?:(?!\}\})[^\n])* )
  | (?P<text>
        (?:[rR][bB]?|[bB][rR])(?: \"{3}.*?\"{3} | '{3}.*?'{3} | "[^"\n]*" | '[^'\n]*' )
      | [bB]?(?: \"{3}(?:\\.|[^\\])*?\"{3} | '{3}(?:\\.|[^\\])*?'{3}
               | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )
    )
  | (?P<name> [A-Za-z_][A-Za-z0-9_]* )
  | (?P<number> 0[xX][0-9a-fA-F]+[uU]? | [0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?[uU]? )
  | (?P<mark> . )
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A piece of an expression; `kind` is text, name, number or mark (one character of anything else)."""

    kind: str
    text: str
    offset: int


def tokens(text: str, start: int = 0) -> Iterator[Token]:
    """The tokens of a text from `start` on, without spaces and comments."""
    for match in _TOKEN.finditer(text, start):
        if match.lastgroup != "space":
            yield Token(match.lastgroup or "mark", match[0], match.start())
