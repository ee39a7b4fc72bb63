"""The small pages behind the links of approvals: no script, nothing from elsewhere, in no frame."""

from html import escape
from http import HTTPStatus

from starlette.responses import HTMLResponse

from api.views.approval import ApprovalView
from cronny.names import instant_text

HEADERS = {
    # Whoever has the address may decide: it must reach no cache and no other site.
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
}
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem}"
    "pre{white-space:pre-wrap;background:#f3f3f3;padding:1rem}textarea{width:100%;box-sizing:border-box}"
    "button{font:inherit;padding:.5rem 1.5rem;margin-top:1rem}dt{color:#666}dd{margin:0 0 .5rem}"
)
VERBS = {"approve": "Approve", "reject": "Reject"}


def question_page(approval: ApprovalView, decision: str, approver: str) -> HTMLResponse:
    """What is to be decided, with the button that decides it."""
    return _page(
        f"{VERBS[decision]}?",
        f'{_about(approval)}<form method="post"><label>Note<br>'
        f'<textarea name="note" rows="3" maxlength="1000"></textarea></label><br>'
        f"<button>{VERBS[decision]} as {escape(approver)}</button></form>",
    )


def thanks_page(approval: ApprovalView) -> HTMLResponse:
    """What was decided."""
    last = approval.decisions[-1]
    rest = f"<p>The approval is {approval.state} now.</p>" if approval.state != "waiting" else ""
    return _page("Thank you", f"<p>{escape(last.by)} {last.decision} it.</p>{rest}{_about(approval)}")


def refusal_page(status: HTTPStatus, why: str) -> HTMLResponse:
    """Why nothing can be decided."""
    return _page("Nothing to decide", f"<p>{escape(why)}</p>", status)


def _about(approval: ApprovalView) -> str:
    facts = {
        "Action": approval.action,
        "Stage": approval.stage,
        "Trigger": approval.trigger,
        "Until": instant_text(approval.until),
    }
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
    return f"<pre>{escape(approval.message)}</pre><dl>{rows}</dl>"


def _page(title: str, body: str, status: HTTPStatus = HTTPStatus.OK) -> HTMLResponse:
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>"
    )
    return HTMLResponse(html.encode(errors="replace"), status, HEADERS)
