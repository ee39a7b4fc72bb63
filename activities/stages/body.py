"""The body of an HTTP response: read within a limit, and given as a value."""

import base64
import codecs
import json
import re
import zlib
from typing import Literal

import httpx
from pydantic import JsonValue
from pydantic_core import from_json

from activities.stages.kind import StageError

ENCODINGS = "gzip"  # what `Accept-Encoding` may offer: all that is read here.

# Python's codecs also hold `idna`, `punycode` and others: quadratic in time, or no charsets at all.
_CHARSET = re.compile(
    r"(us-)?ascii|utf-?8|utf-?(16|32)([lb]e)?|iso-?8859-([1-9]|1[013456])|latin-?1|windows-125[0-8]|"
    r"koi8-[ru]|shift_jis|euc-(jp|kr)|gb(k|2312|18030)|big5",
    re.IGNORECASE,
)


BodyForm = Literal["auto", "json", "text", "binary"]


async def read_body(response: httpx.Response, limit: int) -> bytes:
    """The decoded body; raises `StageError` before more than the limit is held.

    httpx would decode each chunk whole, and nested encodings one in the other: a few kilobytes could become
    gigabytes at once.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip", ""}:
        raise _invalid(f"the response is encoded as {encoding[:40]!r}; only gzip is read")
    gzip = _Gzip() if "gzip" in encoding else None
    body, received = bytearray(), 0
    async for chunk in response.aiter_raw():
        received += len(chunk)
        body += gzip.read(chunk, limit + 1 - len(body)) if gzip else chunk
        if max(received, len(body)) > limit:
            raise _invalid(f"the response is larger than {limit} bytes")
    if gzip and received and not gzip.is_complete:
        raise _invalid("the response ends in the middle of its gzip data")
    return bytes(body)


def body_as(form: BodyForm, content: bytes, content_type: str, charset: str) -> JsonValue:
    """The body in a form; raises `StageError` for `json` that is none."""
    match form:
        case "auto":
            return body_value(content, content_type, charset)
        case _ if not content:
            return None
        case "binary":
            return {"base64": base64.b64encode(content).decode()}
        case "text":
            return content.decode(_known(charset), "replace")
        case "json":
            try:
                return _json(content)
            except ValueError as error:
                raise _invalid("the body of the response is not JSON") from error


def body_value(content: bytes, content_type: str, charset: str) -> JsonValue:
    """The body as JSON if it is that, else as text, else as `{"base64": …}`; None when there is none.

    What says it is JSON and is not stays a text: whether that is an error is for the action to say.
    """
    if not content:
        return None
    if content_type == "application/json" or content_type.endswith("+json"):
        try:
            return _json(content)
        except ValueError:
            pass
    try:
        return content.decode(_known(charset))
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def _known(charset: str) -> str:
    return charset if _CHARSET.fullmatch(charset) else "utf-8"


def _json(content: bytes) -> JsonValue:
    value: JsonValue = from_json(content.removeprefix(codecs.BOM_UTF8), allow_inf_nan=False)
    json.dumps(
        value, allow_nan=False
    )  # `1e999` is valid JSON but becomes an infinity, which nothing can store.
    return value


class _Gzip:
    """The content of gzip data, which may have several members one after the other."""

    def __init__(self) -> None:
        self._member = _member()

    @property
    def is_complete(self) -> bool:
        return self._member.eof

    def read(self, chunk: bytes, room: int) -> bytes:
        """What the chunk adds to the content, no more than there is room for."""
        content = b""
        try:
            while chunk and len(content) < room:
                if self._member.eof:
                    self._member = _member()
                content += self._member.decompress(chunk, room - len(content))
                chunk = self._member.unused_data
        except zlib.error as error:
            raise _invalid("the response is not the gzip data it says it is") from error
        return content


def _member() -> "zlib._Decompress":
    return zlib.decompressobj(zlib.MAX_WBITS | 16)


def _invalid(message: str) -> StageError:
    return StageError("validation", message, retryable=False)
