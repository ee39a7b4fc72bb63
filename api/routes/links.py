"""The links of approvals: looking at one decides nothing, as previews of mails and chats do that."""

from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from api.approvals import follow_link, look_at_link
from api.body import receive_text
from api.errors import status_of
from api.outbox import SentAfter
from api.pages import question_page, refusal_page, thanks_page
from api.parts import parts_of
from api.payload import read_form
from cronny.errors import CronnyError

LONGEST_NOTE = 1000  # characters

router = APIRouter(prefix="/v1/approvals/links", tags=["approvals"])


@router.get("/{token}", response_class=HTMLResponse)
async def look(request: Request, token: str) -> HTMLResponse:
    """A page that says what is to be decided, with a button; it needs no key, as the link is signed."""
    try:
        link, approval = await look_at_link(parts_of(request), token)
    except CronnyError as error:
        return refusal_page(status_of(error), str(error))
    if approval.state != "waiting":
        return refusal_page(HTTPStatus.CONFLICT, f"The approval is {approval.state} already.")
    return question_page(approval, link.decision, link.approver)


@router.post("/{token}", response_class=HTMLResponse)
async def follow(request: Request, token: str, outbox: SentAfter) -> HTMLResponse:
    """Decide; a link works once."""
    try:
        note = str(read_form(await receive_text(request)).get("note") or "")
    except (ValueError, CronnyError):
        return refusal_page(HTTPStatus.BAD_REQUEST, "What was sent is not this form.")
    try:
        approval = await follow_link(parts_of(request), outbox, token, note[:LONGEST_NOTE])
    except CronnyError as error:
        return refusal_page(status_of(error), str(error))
    return thanks_page(approval)
