"""Webhooks: write, look at, rotate, delete."""

from http import HTTPStatus

from fastapi import APIRouter, Response

from api.body import SentBody, documented
from api.caller import COMMON, KnownCaller
from api.names import KnownName, NewName
from api.problem import refusals
from api.views.listing import Listing
from api.views.webhook import SavedWebhook, WebhookView
from api.webhook_settings import WebhookRequest
from api.webhooks import delete_webhook, list_webhooks, put_webhook, rotate_webhook, show_webhook

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], responses=refusals(*COMMON))
_MISSING = refusals(HTTPStatus.NOT_FOUND)


@router.put(
    "/{name}",
    responses={
        201: {"model": SavedWebhook, "description": "Created"},
        **refusals(HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY),
    },
    openapi_extra=documented(WebhookRequest),
)
async def put(caller: KnownCaller, name: NewName, body: SentBody, response: Response) -> SavedWebhook:
    """Write a webhook. The answer to the first writing has its secret URL, which is not shown again."""
    saved, is_new = await put_webhook(caller, name, body)
    response.headers["Cache-Control"] = "no-store"
    if is_new:
        response.status_code = HTTPStatus.CREATED
    return saved


@router.get("")
async def get_all(caller: KnownCaller) -> Listing[WebhookView]:
    """Every webhook, by name."""
    return await list_webhooks(caller)


@router.get("/{name}", responses=_MISSING)
async def get(caller: KnownCaller, name: KnownName) -> WebhookView:
    """A webhook without its token."""
    return await show_webhook(caller, name)


@router.post("/{name}/rotate", responses=_MISSING)
async def rotate(caller: KnownCaller, name: KnownName, response: Response) -> SavedWebhook:
    """Give a webhook another secret URL; the former one is worth nothing from now on."""
    response.headers["Cache-Control"] = "no-store"
    return await rotate_webhook(caller, name)


@router.delete("/{name}", status_code=HTTPStatus.NO_CONTENT, responses=_MISSING)
async def delete(caller: KnownCaller, name: KnownName) -> None:
    """Forget a webhook; its URL is worth nothing from now on."""
    await delete_webhook(caller, name)
