"""Asks for the settings of a connection, the secret ones without showing them."""

from typing import Any, get_args

import typer
from pydantic import BaseModel, JsonValue, SecretStr
from pydantic.fields import FieldInfo

from activities.stages.catalogue import KINDS


def ask_for(kind: str) -> dict[str, JsonValue]:
    """The body that sets a connection of a kind; what is left empty is left out."""
    model = KINDS[kind].connection_model if kind in KINDS else None
    if model is None:
        known = ", ".join(name for name, one in KINDS.items() if one.connection_model)
        raise typer.BadParameter(f"--kind: '{kind}' has no connections; the kinds that have are {known}")
    answers = {name: _ask(name, field) for name, field in model.model_fields.items() if _is_one_line(field)}
    settings: dict[str, JsonValue] = {name: answer for name, answer in answers.items() if answer}
    return {"kind": kind, "settings": settings}


def _ask(name: str, field: FieldInfo) -> str:
    label = f"{name} ({(field.description or '').rstrip('.')})"
    is_secret = SecretStr in _types(field.annotation)
    answer: str = typer.prompt(
        label, default=None if field.is_required() else "", show_default=False, hide_input=is_secret, err=True
    )
    return answer


def _is_one_line(field: FieldInfo) -> bool:
    """Mappings and certificates are for files."""
    extra = field.json_schema_extra
    if isinstance(extra, dict) and extra.get("x-multiline"):
        return False
    return not any(part is dict or issubclass(part, BaseModel) for part in _types(field.annotation))


def _types(annotation: Any) -> set[type]:
    inside = get_args(annotation)
    if not inside:
        return {annotation} if isinstance(annotation, type) else set()
    origin = getattr(annotation, "__origin__", None)
    own = {origin} if isinstance(origin, type) else set()
    return own.union(*(_types(part) for part in inside))
