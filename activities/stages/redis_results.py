"""What Redis answers, as JSON: texts, whole numbers, null and lists, and what some commands make of them."""

import math
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence

from pydantic import JsonValue

from activities.stages.body import body_value
from activities.stages.redis_protocol import Refusal, Reply

_Reader = Callable[[Reply], JsonValue]


def result(command: Sequence[bytes], reply: Reply, *, as_json: bool) -> JsonValue:
    """The answer to a command; with `as_json`, its texts that are JSON are read as such."""
    plain = _json_value if as_json else _value
    if isinstance(reply, Refusal):
        return plain(reply)
    name = command[0].decode().upper()
    shape = _SHAPES.get(name)
    if shape is None and name.startswith("Z") and b"WITHSCORES" in map(bytes.upper, command[2:]):
        shape = _scored
    return shape(reply, plain) if shape else plain(reply)


def _value(reply: Reply) -> JsonValue:
    match reply:
        case bytes():
            return _text(reply)
        case list():
            return [_value(item) for item in reply]
        case Refusal():
            return {"error": reply.code, "message": reply.text}
    return reply


def _json_value(reply: Reply) -> JsonValue:
    match reply:
        case bytes():
            return body_value(reply, "application/json", "utf-8") if reply else ""
        case list():
            return [_json_value(item) for item in reply]
    return _value(reply)


def _text(content: bytes) -> JsonValue:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(content).decode()}


def _mapping(reply: Reply, plain: _Reader) -> JsonValue:
    """Fields and values in turn as a mapping; as they came if a field is no text."""
    items = reply if isinstance(reply, list) else []
    names = [_text(item) if isinstance(item, bytes) else None for item in items[::2]]
    if not isinstance(reply, list) or len(items) % 2 or not all(isinstance(name, str) for name in names):
        return plain(reply)
    return {str(name): plain(value) for name, value in zip(names, items[1::2], strict=True)}


def _entries(reply: Reply, plain: _Reader) -> JsonValue:
    if not isinstance(reply, list):
        return plain(reply)
    return [_entry(item, plain) for item in reply]


def _entry(item: Reply, plain: _Reader) -> JsonValue:
    if not isinstance(item, list) or len(item) != 2:
        return plain(item)  # XCLAIM with JUSTID gives ids alone.
    return {"id": _value(item[0]), "fields": _mapping(item[1], plain)}


def _streams(reply: Reply, plain: _Reader) -> JsonValue:
    if not isinstance(reply, list):
        return {}  # Nothing new is a null.
    flat: list[Reply] = [part for pair in reply if isinstance(pair, list) for part in pair]
    return _mapping(flat, lambda entries: _entries(entries, plain))


def _claimed(reply: Reply, plain: _Reader) -> JsonValue:
    """The next start, the entries, and the ids of those that were deleted meanwhile."""
    if not isinstance(reply, list) or len(reply) < 2:
        return plain(reply)
    return [_value(reply[0]), _entries(reply[1], plain), *map(_value, reply[2:])]


def _facts(reply: Reply, _: _Reader) -> JsonValue:
    """What XINFO says of a stream, or of each of its groups or consumers."""
    if isinstance(reply, list) and all(isinstance(item, list) for item in reply):
        return [_mapping(item, _value) for item in reply]
    return _mapping(reply, _value)


def _scored(reply: Reply, plain: _Reader) -> JsonValue:
    if not isinstance(reply, list) or len(reply) % 2:
        return plain(reply)
    pairs = zip(reply[::2], reply[1::2], strict=True)
    return [{"member": plain(member), "score": _score(score)} for member, score in pairs]


def _score(reply: Reply, _: _Reader | None = None) -> JsonValue:
    """A score as a number; an infinite one stays a text, JSON has none."""
    if isinstance(reply, list):
        return [_score(item) for item in reply]
    try:
        number = float(reply) if isinstance(reply, bytes) else math.inf
    except ValueError:
        number = math.inf
    return number if math.isfinite(number) else _value(reply)


_SHAPES: Mapping[str, Callable[[Reply, _Reader], JsonValue]] = {
    "HGETALL": _mapping,
    **dict.fromkeys(("XRANGE", "XREVRANGE", "XCLAIM"), _entries),
    "XAUTOCLAIM": _claimed,
    **dict.fromkeys(("XREAD", "XREADGROUP"), _streams),
    "XINFO": _facts,
    **dict.fromkeys(("ZPOPMIN", "ZPOPMAX"), _scored),
    **dict.fromkeys(("ZSCORE", "ZMSCORE", "ZINCRBY"), _score),
}
