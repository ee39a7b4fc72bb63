"""The JSON Schema of the language, for editors; it needs no key."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse

from activities.schema import language_schema
from api.parts import parts_of

router = APIRouter(prefix="/schemas", tags=["schemas"])
KEPT = {"cache-control": "public, max-age=3600"}  # by editors; another version of Cronny may know more


class SchemaJson(JSONResponse):
    """A JSON Schema."""

    media_type = "application/schema+json"


@router.get("/action.v1.json", response_class=SchemaJson)
async def action_schema(request: Request) -> SchemaJson:
    """The JSON Schema of an action with the kinds of this server.

    Editors complete and check actions with it: `# yaml-language-server: $schema=<this address>`.
    """
    state = request.app.state
    if not hasattr(state, "action_schema"):  # It takes some milliseconds and is always the same.
        state.action_schema = language_schema(parts_of(request).kinds)
    return SchemaJson(state.action_schema, headers=KEPT)
