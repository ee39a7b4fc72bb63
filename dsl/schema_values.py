"""Schemas of values that may be computed: whatever a field takes, an expression may stand for it."""

from typing import Any

Schema = dict[str, Any]

EXPRESSION: Schema = {
    "type": "string",
    "pattern": r"\$\{\{",
    "description": "A text with an expression, `${{ }}`, which gives the value.",
}
_EXPRESSION_PLACE = {"$ref": "#/definitions/Expression"}
_ABOUT = ("description", "default", "examples", "title")
_BOUNDS = ("enum", "const", "pattern", "format", "minLength", "maxLength")


def computed(schema: Schema, *, is_value: bool = True) -> Schema:
    """The schema with expressions allowed for the values inside it, and with `is_value` for itself."""
    if schema.get("x-verbatim"):
        return {**schema, "not": {"pattern": r"\$\{\{"}}
    inner = _any_case(_inner(schema))
    if not is_value or _takes_texts(inner):
        return inner
    about = {key: inner.pop(key) for key in _ABOUT if key in inner}
    members = inner["anyOf"] if inner.keys() == {"anyOf"} else [inner]
    return {**about, "anyOf": [*members, _EXPRESSION_PLACE]}


def _inner(schema: Schema) -> Schema:
    """The schema with its parts computed."""
    inner = dict(schema)
    if inner.get("$ref", "").endswith("JsonValue"):
        del inner["$ref"]
    for union in ("anyOf", "oneOf"):
        if union in inner:
            # A text with an expression may fit several members.
            inner["anyOf"] = [computed(member, is_value=False) for member in inner.pop(union)]
    for name in ("properties", "patternProperties"):
        if name in inner:
            inner[name] = {key: computed(value) for key, value in inner[name].items()}
    for name in ("additionalProperties", "items"):
        if isinstance(inner.get(name), dict):
            inner[name] = computed(inner[name])
    join_null(inner)
    return inner


def join_null(schema: Schema) -> None:
    """Write "this or null" as one schema, so that what is wrong inside is reported there."""
    members = schema.get("anyOf", [])
    others = [member for member in members if member != {"type": "null"}]
    if len(others) != 1 or len(members) != 2 or "type" not in others[0] or "enum" in others[0]:
        return
    types = others[0]["type"]
    del schema["anyOf"]
    schema |= {**others[0], "type": [*(types if isinstance(types, list) else [types]), "null"]}


def _takes_texts(schema: Schema) -> bool:
    """Whether any text will do already."""
    if "anyOf" in schema:
        return any(_takes_texts(member) for member in schema["anyOf"])
    if schema.keys() & {"$ref", *_BOUNDS}:
        return False
    return "string" in schema.get("type", ["string"])


def _any_case(schema: Schema) -> Schema:
    """Words that may be written in any case, each with a pattern of its own."""
    if not schema.get("x-any-case"):
        return schema
    kept = {key: value for key, value in schema.items() if key not in ("enum", "type")}
    words = ["".join(f"[{letter.upper()}{letter.lower()}]" for letter in word) for word in schema["enum"]]
    alternatives = [{"enum": schema["enum"]}, {"type": "string", "pattern": f"^({'|'.join(words)})$"}]
    return {**kept, "anyOf": alternatives}
