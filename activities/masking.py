"""Known secrets, blotted out of whatever a tenant may read."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from pydantic import JsonValue

MASK = "***"
SHORTEST = 4  # characters; blotting out anything shorter would spoil texts and so give the secret away.


class Masker:
    """Replaces every known secret by `***`, also in the forms that URLs, headers and JSON give it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret) if len(form) >= SHORTEST}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def value(self, value: JsonValue) -> JsonValue:
        """The value without secrets, in keys as well."""
        if self._pattern is None:
            return value
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.text(key): self.value(item) for key, item in value.items()}
            case list():
                return [self.value(item) for item in value]
            case _:
                return value


def _forms(secret: str) -> Iterator[str]:
    parts = {secret, secret.strip()} | {
        line.strip() for line in secret.splitlines()
    }  # A key in PEM is printed by lines.
    for part in parts:
        if len(part) < SHORTEST:
            continue
        yield part
        yield from _escaped(part)
        yield from _base64(part.encode(errors="replace"))


def _escaped(text: str) -> Iterator[str]:
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield repr(text)[1:-1]
    for url in (
        quote(text, safe="", errors="replace"),
        quote(text, errors="replace"),
        quote_plus(text, errors="replace"),
    ):
        yield url
        yield re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), url)


def _base64(content: bytes) -> Iterator[str]:
    """Its base64, wherever in a longer text it starts, as in `base64(user:password)`."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + content)
        # Characters that also hold bits of a neighbour differ from text to text.
        first = (before * 8 + 5) // 6
        last = (before + len(content)) * 8 // 6
        stable = encoded[first:last].decode()
        yield stable
        yield stable.replace("+", "-").replace("/", "_")
