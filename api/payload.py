"""What other programs send to a webhook: JSON or a form, of bounded size."""

import json
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends
from pydantic import JsonValue
from starlette.requests import Request

from api.body import receive_text
from cronny.errors import CronnyError, Invalid
from dsl.problems import Problem

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
MOST_FIELDS = 1000  # of a form

SENT: dict[str, Any] = {
    "requestBody": {"content": {JSON: {"schema": {}}, FORM: {"schema": {"type": "object"}}}}
}


class Unreadable(CronnyError):
    """Send JSON or a form: application/json or application/x-www-form-urlencoded."""


@dataclass(frozen=True)
class Payload:
    """A body, byte for byte and as it was read."""

    raw: bytes
    value: JsonValue
    is_form: bool


async def receive_payload(request: Request) -> Payload:
    """The body; raises TooLarge, Unreadable for another type, and Invalid when it is not what it says."""
    media = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    is_json = media == JSON or (media.startswith("application/") and media.endswith("+json"))
    if not is_json and media != FORM:
        raise Unreadable
    raw = await receive_text(request)
    try:
        return Payload(raw, read_json(raw) if is_json else read_form(raw), not is_json)
    except (ValueError, RecursionError):
        what = f"the body is not {'JSON' if is_json else 'a form'}"
        raise Invalid([Problem("body", what, "send what the content type says", "body")]) from None


def read_json(raw: bytes) -> JsonValue:
    """The value of a JSON text, an empty mapping for nothing; raises ValueError and RecursionError."""
    value: JsonValue = json.loads(raw.decode("utf-8-sig") or "{}", parse_constant=_refuse)
    return value


def read_form(raw: bytes) -> dict[str, JsonValue]:
    """The fields of a form, a list for one that is there several times; raises ValueError."""
    found: dict[str, list[JsonValue]] = {}
    text = raw.decode()
    for name, value in parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS):
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _refuse(constant: str) -> JsonValue:
    raise ValueError(f"{constant} is not JSON")


SentPayload = Annotated[Payload, Depends(receive_payload)]
