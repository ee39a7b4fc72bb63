"""Check a value against a pydantic model, in the words and places of the document."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from dsl.document import Path, child_of, has_child
from dsl.problems import did_you_mean
from dsl.report import MAX_FOUND, Report
from dsl.templates import is_template, parse_template

ModelT = TypeVar("ModelT", bound=BaseModel)

_WORDS: Mapping[str, str] = {
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "extra_forbidden": "there is no such field",
}
# What a limit of a model is called in the context of its error.
_LIMITS: Mapping[str, tuple[str, str]] = {
    "greater_than": ("must be above {}", "gt"),
    "greater_than_equal": ("must be at least {}", "ge"),
    "less_than": ("must be below {}", "lt"),
    "less_than_equal": ("must be at most {}", "le"),
    "string_too_long": ("must have at most {} characters", "max_length"),
    "too_long": ("must have at most {} items", "max_length"),
}
_CONTAINERS = frozenset({"dict_type", "model_type", "model_attributes_type", "list_type", "tuple_type"})
_CODES: Mapping[str, str] = {"missing": "required", "extra_forbidden": "unknown_field"}
_TRUTHS: Mapping[str, str] = {  # what YAML 1.1, and people, take for a truth
    **dict.fromkeys(("yes", "y", "on", "1"), "write true"),
    **dict.fromkeys(("no", "n", "off", "0"), "write false"),
    **{word: f"write {word} without quotes" for word in ("true", "false")},
}
_ID_HINT = "begin with a small letter, then small letters, digits and _, 63 at most"


class _Phrase(NamedTuple):
    what: str
    hint: str
    is_mismatch: bool  #: The value is of another type altogether.


class _Spot(NamedTuple):
    """Where in a value an error belongs, and the rest of its location that the value does not have."""

    path: Path
    rest: tuple[str | int, ...]
    value: JsonValue


class _Place(NamedTuple):
    """A place in a value, and what kind of mistake is there."""

    path: Path
    at_key: bool
    code: str
    missing: str


def check_shape(
    model: type[ModelT],
    value: JsonValue,
    report: Report,
    path: Path = (),
    *,
    has_templates: bool = False,
) -> ModelT | None:
    """The model of a value, or None and problems; with `has_templates`, expressions may stand for values."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False)[:MAX_FOUND]
    except RecursionError:
        report.add(path, "nested too deeply")
        return None
    for place, phrases in _found(model, value, details, has_templates=has_templates).items():
        report.add((*path, *place.path), *_joined(phrases), place.code, at_key=place.at_key)
    return None


def mistakes_of(model: type[BaseModel], value: JsonValue, error: ValidationError, path: Path) -> str:
    """What is wrong with a value, in one line, in the same words: `with.body.base64: is not base64`."""
    found = _found(model, value, error.errors(include_url=False)[:MAX_FOUND])
    lines = (
        (".".join(map(str, (*path, *place.path))), *_joined(phrases)) for place, phrases in found.items()
    )
    return "; ".join(f"{where}: {what}" + (f" ({hint})" if hint else "") for where, what, hint in lines)


def _found(
    model: type[BaseModel],
    value: JsonValue,
    details: Sequence[ErrorDetails],
    *,
    has_templates: bool = False,
) -> Mapping[_Place, list[_Phrase]]:
    """What is wrong at one place are alternatives, except that each missing field counts by itself."""
    found: dict[_Place, list[_Phrase]] = {}
    for detail in details:
        spot = _spot(value, detail["loc"])
        if _is_of_items(spot, detail) or (has_templates and _is_for_later(spot, detail)):
            continue
        at_key = detail["type"] == "extra_forbidden" or spot.rest[-1:] == ("[key]",)
        code = _CODES.get(detail["type"], "invalid")
        missing = str(spot.rest) if code == "required" else ""
        place = _Place(spot.path, at_key, code, missing)
        found.setdefault(place, []).append(_phrase(model, detail, spot))
    return found


def _spot(value: JsonValue, location: Sequence[str | int]) -> _Spot:
    path: Path = ()
    rest: tuple[str | int, ...] = ()
    for part in location:
        if has_child(value, part):
            value, path, rest = child_of(value, part), (*path, part), ()
        else:  # The name of a member of a union, or a field that is not there.
            rest = (*rest, part)
    return _Spot(path, rest, value)


def _is_for_later(spot: _Spot, detail: ErrorDetails) -> bool:
    """Whether only the value of an expression will tell; a text around an expression stays a text."""
    if not is_template(spot.value):
        return False
    try:
        is_whole = len(parse_template(str(spot.value))) == 1
    except ValueError:
        return True
    return is_whole or detail["type"] not in _CONTAINERS


def _is_of_items(spot: _Spot, detail: ErrorDetails) -> bool:
    """Whether a list counts as too short only because its items are wrong, each with its own error."""
    limit = detail.get("ctx", {}).get("min_length", 0)
    return detail["type"] == "too_short" and isinstance(spot.value, list) and len(spot.value) >= limit


def _joined(phrases: Sequence[_Phrase]) -> tuple[str, str]:
    """All alternatives, or those that take values of the given type."""
    closest = [phrase for phrase in phrases if not phrase.is_mismatch] or phrases
    whats = dict.fromkeys(phrase.what for phrase in closest)
    return " or ".join(whats), next((phrase.hint for phrase in closest if phrase.hint), "")


def _phrase(model: type[BaseModel], detail: ErrorDetails, spot: _Spot) -> _Phrase:
    kind, context = detail["type"], detail.get("ctx", {})
    what, hint = _WORDS.get(kind) or _plain(detail["msg"]), ""
    match kind:
        case "missing":
            what = f"'{spot.rest[-1] if spot.rest else ''}' is required"
        case "extra_forbidden":
            hint = _field_hint(model, detail["loc"])
        case "literal_error":
            given = spot.value if isinstance(spot.value, str) else ""
            what = f"must be {context['expected']}"
            hint = did_you_mean(given, context["expected"].split("'")[1::2])
        case "string_pattern_mismatch" if context["pattern"].startswith("^[a-z][a-z0-9_]{0,62}"):
            what = f"{str(spot.path[-1] if spot.rest else spot.value)[:70]!r} cannot be a name"
            hint = _ID_HINT
        case "string_pattern_mismatch" if context["pattern"].startswith("^https?://"):
            what = "must be a web address that begins with https:// or http://"
        case "string_pattern_mismatch":
            what = f"must match {context['pattern']}"
        case "value_error":
            what, _, hint = str(context["error"]).partition("; ")
        case "too_short" | "string_too_short" if context["min_length"] == 1:
            what = "must not be empty"
        case _ if kind in _LIMITS:
            wording, name = _LIMITS[kind]
            what = wording.format(f"{context[name]:g}")
        case _ if kind in _WORDS:
            return _Phrase(*_mismatch(kind, spot.value), is_mismatch=True)
    return _Phrase(what, hint, is_mismatch=False)


def _mismatch(kind: str, value: JsonValue) -> tuple[str, str]:
    """What to write for a value of another type."""
    if value is None:
        return f"{_WORDS[kind]}, but there is nothing", ""
    if kind in ("bool_type", "bool_parsing") and str(value).lower() in _TRUTHS:
        return _WORDS[kind], _TRUTHS[str(value).lower()]
    if kind == "string_type" and isinstance(value, int | float):
        return _WORDS[kind], "put it in quotes"
    if kind in ("list_type", "tuple_type") and isinstance(value, str) and len(value.split()) == 1:
        return _WORDS[kind], f"write [{value[:40]}] for a list of one"
    return _WORDS[kind], ""


def _plain(message: str) -> str:
    text = message.replace("Input should be", "must be").replace("Input should", "should")
    return text[:1].lower() + text[1:]


def _field_hint(model: type[BaseModel], location: Sequence[str | int]) -> str:
    known = sorted(set(_fields_at(_schema(model), _schema(model), location[:-1])))
    hint = did_you_mean(str(location[-1])[:60], known)
    return hint or (f"the fields are {', '.join(known)}" if known else "")


@lru_cache(256)
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True)


def _fields_at(root: dict[str, Any], schema: Any, location: Sequence[str | int]) -> Iterator[str]:
    """The fields that a JSON Schema knows at a location, in every member of its unions."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from _fields_at(root, root["$defs"][name], location)
    for union in ("anyOf", "oneOf", "allOf"):
        for member in schema.get(union, ()):
            yield from _fields_at(root, member, location)
    properties = schema.get("properties", {})
    if not location:
        yield from properties
        return
    step, rest = location[0], location[1:]
    child = schema.get("items") if isinstance(step, int) else properties.get(step)
    for more in (schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()):
        child = more if child is None and isinstance(more, dict) else child
    # A location also names the members of unions that it passes.
    yield from _fields_at(root, schema if child is None and properties else child, rest)
