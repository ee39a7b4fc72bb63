"""The JSON Schema of the action language, for editors: what the models and the kinds say."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from dsl.action import ERROR_CODES, ERROR_FAMILIES, RESERVED_WORDS, Action
from dsl.durations import format_duration
from dsl.kinds import Catalogue, KindSpec
from dsl.schedule_schema import schedule_schema
from dsl.schema_texts import FIELD_TEXTS, TYPE_TEXTS
from dsl.schema_values import EXPRESSION, computed, join_null

Schema = dict[str, Any]

DIALECT = "http://json-schema.org/draft-07/schema#"  # the one that every editor knows
_ID = "^[a-z][a-z0-9_]{0,62}$"
_NAME = {"pattern": _ID, "not": {"enum": sorted(RESERVED_WORDS)}}
_PLACE = "#/definitions/"


class _Generator(GenerateJsonSchema):
    """Fields without titles, which would only repeat their names, and durations as they are written."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never."""
        return False

    def encode_default(self, dft: Any) -> Any:
        """The default as a tenant would write it."""
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def action_schema(catalogue: Catalogue, summaries: Mapping[str, str]) -> Schema:
    """The schema of an action whose stages may be of these kinds; `summaries` says what each kind does.

    What only reading the whole action can tell, such as whether a stage exists, is left to the checker.
    """
    schema, definitions = _generated(Action)
    for name, definition in definitions.items():
        _explain(name, definition)
        _loosen(definition)
        if {"uses", "with"} <= definition.get("properties", {}).keys():
            _choose_kinds(definition, catalogue, summaries)
    _explain("Action", schema)
    _loosen(schema)
    for kind in catalogue.values():
        definitions |= _with_definitions(kind, summaries)
    for name, fields in schedule_schema().items():
        definitions[name] = fields
    _schedules(schema["properties"])
    definitions["Expression"] = EXPRESSION
    head = {"$schema": DIALECT, "title": "Cronny action", "description": TYPE_TEXTS["Action"]}
    return {**head, **{key: schema[key] for key in schema if key not in head}, "definitions": definitions}


def _generated(
    model: type[BaseModel], template: str = _PLACE + "{model}"
) -> tuple[Schema, dict[str, Schema]]:
    """The schema of a model, and its definitions apart."""
    schema = model.model_json_schema(by_alias=True, ref_template=template, schema_generator=_Generator)
    definitions: dict[str, Schema] = schema.pop("$defs", {})
    return schema, definitions


def _explain(name: str, definition: Schema) -> None:
    """Give every field a text that has none of its own."""
    definition.pop("title", None)
    if name in TYPE_TEXTS:
        definition["description"] = TYPE_TEXTS[name]
    for field, about in definition.get("properties", {}).items():
        text = FIELD_TEXTS.get(f"{name}.{field}") or FIELD_TEXTS.get(field)
        if text and "description" not in about:
            about["description"] = text


def _loosen(schema: Schema) -> None:
    """Allow what validators read before the models see it, and forbid what they refuse."""
    for part in _parts(schema):
        if part.get("x-cel"):
            part["type"] = ["string", "boolean"]
        if part.get("pattern") == _ID:
            part.update(_NAME)
        if _ID in part.get("patternProperties", {}):
            part["additionalProperties"] = part.pop("patternProperties")[_ID]
            part["propertyNames"] = _NAME
        join_null(part)
        members = part.get("anyOf", [])
        if {"$ref": f"{_PLACE}Retry"} in members:
            members.append({"const": False, "description": "One attempt only."})
    if "backoff" in schema.get("properties", {}):
        families = {"pattern": rf"^({'|'.join(ERROR_FAMILIES)})(\.|$)"}
        codes = {"type": "string", "anyOf": [{"enum": sorted(ERROR_CODES)}, families]}
        schema["properties"]["on"]["items"] = codes


def _parts(schema: Any) -> Iterator[Schema]:
    """Every schema inside the schema, and itself."""
    if isinstance(schema, dict):
        for part in list(schema.values()):
            yield from _parts(part)
        yield schema
    elif isinstance(schema, list):
        for part in schema:
            yield from _parts(part)


def _choose_kinds(definition: Schema, catalogue: Catalogue, summaries: Mapping[str, str]) -> None:
    """What `with` and `connection` must be, by what the stage uses."""
    uses = definition["properties"]["uses"]
    uses["enum"] = list(catalogue)
    uses["enumDescriptions"] = [summaries.get(name, "") for name in catalogue]
    definition["allOf"] = [
        {
            "if": {"properties": {"uses": {"const": kind.name}}, "required": ["uses"]},
            "then": _needs(kind),
        }
        for kind in catalogue.values()
    ]


def _needs(kind: KindSpec) -> Schema:
    properties: Schema = {"with": {"$ref": f"{_PLACE}{kind.name}.with"}}
    required = ["with"] if any(field.is_required() for field in kind.with_model.model_fields.values()) else []
    match kind.connection:
        case "required":
            properties["connection"] = {"type": "string"}
            required.append("connection")
        case "none":
            properties["connection"] = {"type": "null"}
    return {"properties": properties, **({"required": required} if required else {})}


def _with_definitions(kind: KindSpec, summaries: Mapping[str, str]) -> dict[str, Schema]:
    """The `with` block of a kind and what it is made of, whose values may all be computed."""
    schema, definitions = _generated(kind.with_model, f"{_PLACE}{kind.name}.{{model}}")
    whole = {**computed(schema, is_value=False), "description": summaries.get(kind.name, "")}
    parts = {
        f"{kind.name}.{name}": computed(definition, is_value=False)
        for name, definition in definitions.items()
        if definition
    }
    return {f"{kind.name}.with": whole, **parts}


def _schedules(properties: Schema) -> None:
    either = [{"type": "string"}, {"$ref": f"{_PLACE}Schedule"}, {"type": "null"}]
    properties["schedule"] = {"description": properties["schedule"]["description"], "anyOf": either}
    named = {"allOf": [{"$ref": f"{_PLACE}Schedule"}], "required": ["id"]}
    properties["schedules"]["items"] = named
