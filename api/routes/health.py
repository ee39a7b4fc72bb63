"""Whether the server lives, and whether it can do its work; neither needs a key."""

from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request

from api.parts import parts_of
from api.problem import refusals
from api.readiness import require_servers
from api.views.listing import View

router = APIRouter(tags=["health"])


class Health(View):
    """What the server says of itself."""

    status: str


@router.get("/healthz")
async def healthz() -> Health:
    """The process lives."""
    return Health(status="ok")


@router.get("/readyz", responses=refusals(HTTPStatus.SERVICE_UNAVAILABLE))
async def readyz(request: Request) -> Health:
    """The database and Temporal answer; if not, 503 with the reason."""
    await require_servers(parts_of(request))
    return Health(status="ready")
