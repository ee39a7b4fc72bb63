"""Functions that write values in another form: JSON, hashes, encodings."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote, urlencode

from dsl.cel_values import to_json, to_text
from dsl.functions.function import Form, Group, TypeName, free

_EITHER: tuple[TypeName, ...] = ("string", "bytes")
_ANY: tuple[TypeName, ...] = (
    "null", "bool", "int", "uint", "double", "string", "bytes", "list", "map", "timestamp", "duration",
)  # fmt: skip


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text, parse_int=_whole, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"this is not JSON: {error.msg} at character {error.pos + 1}") from None


def _whole(digits: str) -> int:
    if len(digits) > 20 or not -(1 << 63) <= int(digits) < 1 << 63:
        raise ValueError(f"the number {digits[:30]} is too large")
    return int(digits)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not a number that JSON knows")


def _format_json(value: Any) -> str:
    return json.dumps(to_json(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _indent_json(value: Any, width: int) -> str:
    if not 0 <= width <= 8:
        raise ValueError("JSON is indented by 0 to 8 spaces")
    return json.dumps(to_json(value), ensure_ascii=False, sort_keys=True, indent=width)


def _raw(value: str | bytearray) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _hash(name: str) -> Callable[[str | bytearray], str]:
    return lambda value: hashlib.new(name, _raw(value), usedforsecurity=False).hexdigest()


def _hmac(key: str | bytearray, value: str | bytearray) -> str:
    return hmac.new(_raw(key), _raw(value), "sha256").hexdigest()


def _from_hex(text: str) -> bytes:
    if not re.fullmatch(r"([0-9a-fA-F]{2})*", text):
        raise ValueError(f"'{text[:40]}' is not hexadecimal")
    return bytes.fromhex(text)


def _from_url(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("what is encoded is no text") from None


def _query(fields: dict[Any, Any]) -> str:
    """In order of the names; lists give theirs once for each item; what is null is left out."""
    pairs = [
        (to_text(to_json(name)), to_text(to_json(item)))
        for name, value in sorted(fields.items(), key=lambda field: to_text(to_json(field[0])))
        for item in (value if isinstance(value, list) else [value])
        if item is not None
    ]
    return urlencode(pairs)


def _binary(call: Callable[..., Any], gives: TypeName = "string") -> list[Form]:
    """The forms for a text, meaning its UTF-8, and for bytes."""
    return [Form((kind,), gives, call) for kind in _EITHER]


CODES = Group(
    "JSON, hashes and encodings",
    (
        free(
            "string(x)",
            "The text of a number, a truth, a time or of bytes.",
            "string(7) + string(true)",
            "7true",
        ),
        free(
            "json.parse(text)",
            "The value of a JSON text.",
            "json.parse('{\"a\": [1, 2]}').a[1]",
            2,
            Form(("string",), "dyn", _parse_json),
        ),
        free(
            "json.format(x, indent)",
            "The JSON text of a value, fields in order; on one line unless indented by some spaces.",
            "json.format({'a': [1, null]})",
            '{"a":[1,null]}',
            *(Form((kind,), "string", _format_json) for kind in _ANY),
            *(Form((kind, "int"), "string", _indent_json) for kind in _ANY),
        ),
        free(
            "hash.sha256(x)",
            "The SHA-256 of a text or of bytes, in hexadecimal; `hash.sha512` likewise.",
            "hash.sha256('abc').substring(0, 16)",
            "ba7816bf8f01cfea",
            *_binary(_hash("sha256")),
        ),
        free(
            "hash.sha512(x)",
            "The SHA-512.",
            "hash.sha512('abc').substring(0, 16)",
            "ddaf35a193617aba",
            *_binary(_hash("sha512")),
        ),
        free(
            "hash.md5(x)",
            "The MD5, for what still asks for it; it protects nothing.",
            "hash.md5('abc')",
            "900150983cd24fb0d6963f7d28e17f72",
            *_binary(_hash("md5")),
        ),
        free(
            "hash.hmacSha256(key, x)",
            "The HMAC with SHA-256, in hexadecimal: what signs a request.",
            "hash.hmacSha256('key', 'abc').substring(0, 16)",
            "9c196e32dc0175f8",
            *(Form((key, value), "string", _hmac) for key in _EITHER for value in _EITHER),
        ),
        free("base64.encode(bytes)", "Base64.", "base64.encode(bytes('abc'))", "YWJj"),
        free("base64.decode(text)", "The bytes of Base64.", "string(base64.decode('YWJj'))", "abc"),
        free(
            "hex.encode(x)",
            "A text or bytes in hexadecimal.",
            "hex.encode('abc')",
            "616263",
            *_binary(lambda value: _raw(value).hex()),
        ),
        free(
            "hex.decode(text)",
            "The bytes of a hexadecimal text.",
            "string(hex.decode('616263'))",
            "abc",
            Form(("string",), "bytes", _from_hex),
        ),
        free(
            "url.encode(text)",
            "A text as a part of a URL, with everything special encoded.",
            "url.encode('a b/ü')",
            "a%20b%2F%C3%BC",
            Form(("string",), "string", lambda text: quote(text, safe="")),
        ),
        free(
            "url.decode(text)",
            "The text of an encoded part of a URL.",
            "url.decode('a%20b')",
            "a b",
            Form(("string",), "string", _from_url),
        ),
        free(
            "url.query(map)",
            "The fields of a map, in order, as the query of a URL.",
            "url.query({'a': [1, 2]})",
            "a=1&a=2",
            Form(("map",), "string", _query),
        ),
    ),
)
