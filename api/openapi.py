"""The description of the API at `/openapi.json`: every refusal is a problem document."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problem import MEDIA_TYPE, ProblemDetails

_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"}}}
_NEVER_SENT = ("HTTPValidationError", "ValidationError")  # FastAPI's own form of a refusal


def describe(app: FastAPI) -> dict[str, Any]:
    """The description, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = _described(app)
    return app.openapi_schema


def _described(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    for status, response in _responses(schema):
        if int(status) >= 400:
            response.update(content=_PROBLEM)
    for name, definition in list(_definitions(schema)):
        schema["components"]["schemas"].setdefault(name, definition)
    for name in _NEVER_SENT:
        schema["components"]["schemas"].pop(name, None)
    return schema


def _definitions(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The parts of bodies, which stand beside them until they are taken out here."""
    for item in schema["paths"].values():
        for operation in item.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                yield from content["schema"].pop("$defs", {}).items()


def _responses(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in schema["paths"].values():
        for operation in item.values():
            yield from operation["responses"].items()
