"""Known secrets, blotted out of whatever a tenant may read."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from pydantic import JsonValue

MASK = "***"
SHORTEST = 4  # characters; blotting out anything shorter would spoil texts and so give the secret away.
LONG = 12  # characters from which a part of a secret URL is a secret by itself.

_URL = re.compile(r"https?://[^/?#]+(/.*)", re.DOTALL)


class Masker:
    """Replaces every known secret by `***`, also in the forms that URLs, HTML, headers and JSON give it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secrets)
        whole, lines = set(), set()
        for secret in self._secrets:
            whole |= {secret, secret.strip(), *_addresses(secret.strip())}
            lines |= {line.strip() for line in secret.splitlines()}  # A key in PEM is printed by lines.
        parts = [part for part in whole | lines if len(part) >= SHORTEST]
        forms = [form for part in parts for form in _escaped(part)]
        for content in (part.encode(errors="replace") for part in whole.intersection(parts)):
            forms += [*_base64(content), *_hex(content)]
        # Longest first, or a secret that begins another would leave the rest of it.
        forms.sort(key=len, reverse=True)
        self._pattern = re.compile("|".join(forms)) if forms else None

    def also(self, secret: str) -> "Masker":
        """A masker for one secret more."""
        return Masker((*self._secrets, secret))

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def value(self, value: JsonValue) -> JsonValue:
        """The value without secrets, in keys as well; a number that is one becomes a text."""
        if self._pattern is None:
            return value
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.text(key): self.value(item) for key, item in value.items()}
            case list():
                return [self.value(item) for item in value]
            case None | bool():
                return value
        return MASK if self._pattern.fullmatch(str(value)) else value


def _addresses(secret: str) -> Iterator[str]:
    """The path of a secret URL, such as a webhook, and its end, which servers quote without the host."""
    if url := _URL.fullmatch(secret):
        target = url[1]
        yield from (part for part in (target, re.split("[/?&=]", target)[-1]) if len(part) >= LONG)


def _escaped(part: str) -> Iterator[str]:
    """Patterns that match a part in whatever way each of its characters is escaped."""
    choices = [_character(character) for character in part[1:]]
    rest = "".join(forms[0] if len(forms) == 1 else f"(?:{'|'.join(forms)})" for forms in choices)
    # Each begins with a literal: that lets the engine pass over what cannot match, 50 times as fast.
    yield from (first + rest for first in _character(part[0]))


def _character(character: str) -> list[str]:
    if character.isascii() and (character.isalnum() or character in "-_.~"):  # Nobody escapes these.
        return [character]
    point = ord(character)
    in_url, in_json = quote(character, safe="", errors="replace"), json.dumps(character)[1:-1]
    in_code = repr(character)[1:-1]
    forms = {character, "\\" + character, html.escape(character), f"&#{point};", in_url, in_json, in_code}
    # Hexadecimal digits come in both cases.
    forms |= {in_url.lower(), f"\\u{point:04x}", f"\\u{point:04X}"}
    if character == " ":
        forms.add("+")
    return [re.escape(form) for form in sorted(forms, key=len, reverse=True)]


def _base64(content: bytes) -> Iterator[str]:
    """Its base64, wherever in a longer text it starts, as in `base64(user:password)`."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + content)
        # Characters that also hold bits of a neighbour differ from text to text.
        first = (before * 8 + 5) // 6
        last = (before + len(content)) * 8 // 6
        stable = encoded[first:last].decode()
        if len(stable) >= SHORTEST:
            yield re.escape(stable)
            yield re.escape(stable.replace("+", "-").replace("/", "_"))


def _hex(content: bytes) -> Iterator[str]:
    yield from (content.hex(), content.hex().upper())
