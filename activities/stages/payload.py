"""What a stage sends as JSON."""

import json

from pydantic import JsonValue

from activities.stages.kind import StageError


def json_bytes(value: JsonValue) -> bytes:
    """The value as JSON; raises `StageError` for what JSON cannot carry."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:  # A number that is none, or half of a surrogate pair.
        raise StageError("validation", f"this cannot be sent as JSON: {error}", retryable=False) from error
