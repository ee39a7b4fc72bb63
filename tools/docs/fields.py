"""The fields of a pydantic model as a table for people."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

Schema = Mapping[str, Any]
WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true` or `false`"}
SCALARS = set(WORDS)
WORDS["model"] = "mapping"
JSON = "#/$defs/JsonValue"


def field_table(model: type[BaseModel]) -> str:
    """A Markdown table: name, type, default and description of each field."""
    schema = _resolved(model.model_json_schema())
    required = schema.get("required", ())
    rows = ["| field | type | default | |", "|---|---|---|---|"]
    for name, field in schema["properties"].items():
        default = "required" if name in required else default_text(field)
        rows.append(f"| `{name}` | {cell(type_text(field))} | {default} | {cell(_description(field))} |")
    return "\n".join(rows)


def default_text(field: Schema) -> str:
    """The default as it is written in YAML; empty for what has none."""
    default = field.get("default")
    return "" if default in (None, "") else f"`{json.dumps(default, ensure_ascii=False)}`"


def cell(text: str) -> str:
    """The text within one cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def type_text(field: Schema) -> str:
    """What a value must be, in a few words."""
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if choices := field.get("anyOf") or field.get("oneOf"):
        return " or ".join(dict.fromkeys(_choices(choices)))
    name = str(field.get("type"))
    if name == "array":
        return f"list of: {type_text(field['items'])}"
    if name == "object":
        return _mapping_text(field)
    if name == "string" and field.get("writeOnly"):
        return "secret"
    if field.get("$ref", JSON) != JSON:
        name = "model"
    return WORDS.get(name, "anything") + _range(field)


def _resolved(schema: Any, models: Mapping[str, Any] | None = None) -> Any:
    """The schema with the models that it refers to in their places."""
    models = schema.get("$defs", {}) if models is None else models
    match schema:
        case {"$ref": str(place), **rest}:
            return {**_resolved(models[place.rpartition("/")[2]], models), **rest}
        case dict():
            return {name: _resolved(part, models) for name, part in schema.items() if name != "$defs"}
        case list():
            return [_resolved(part, models) for part in schema]
    return schema


def _choices(schemas: Sequence[Schema]) -> Iterator[str]:
    """The alternatives; whatever a scalar may be is one of them, and null goes without saying."""
    is_any_scalar = {schema.get("type") for schema in schemas} >= SCALARS
    if is_any_scalar:
        yield "scalar"
    for schema in schemas:
        if schema.get("type") != "null" and not (is_any_scalar and schema.get("type") in SCALARS):
            yield type_text(schema)


def _mapping_text(field: Schema) -> str:
    if "properties" in field:
        return "mapping of: " + ", ".join(f"`{name}`" for name in field["properties"])
    by_pattern = next(iter(field.get("patternProperties", {}).values()), None)
    values = by_pattern or field.get("additionalProperties")
    return f"mapping to: {type_text(values if isinstance(values, Mapping) else {})}"


def _range(field: Schema) -> str:
    if "maximum" not in field:
        return ""
    return f" from {field.get('minimum', 0)} to {field['maximum']}"


def _description(field: Schema) -> str:
    verbatim = " Taken as written: no expressions." if field.get("x-verbatim") else ""
    return f"{field.get('description', '')}{verbatim}"
