"""Where other programs call: the URL is the key, so that there is no other."""

from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request

from api.outbox import SentAfter
from api.parts import parts_of
from api.payload import SENT, SentPayload
from api.problem import refusals
from api.receiving import Call, receive_answer, receive_call
from api.views.webhook import Accepted, Heard

router = APIRouter(
    prefix="/v1/hooks",
    tags=["hooks"],
    responses=refusals(
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)


@router.post(
    "/{token}",
    status_code=HTTPStatus.ACCEPTED,
    responses=refusals(HTTPStatus.TOO_MANY_REQUESTS),
    openapi_extra=SENT,
)
async def call(request: Request, token: str, payload: SentPayload, outbox: SentAfter) -> Accepted:
    """Trigger the action of a webhook with what is sent, JSON or a form.

    The same delivery within a day is answered with the same trigger. A token or a signature that is not
    right is answered as a URL that does not exist.
    """
    return await receive_call(parts_of(request), outbox, Call(token, request.headers, payload))


@router.post("/waits/{token}", status_code=HTTPStatus.ACCEPTED, openapi_extra=SENT)
async def answer(request: Request, token: str, payload: SentPayload, outbox: SentAfter) -> Heard:
    """Hand what is sent to the stage that waits for it; it works once."""
    return await receive_answer(parts_of(request), outbox, token, payload)
