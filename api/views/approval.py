"""What the API shows of an approval: never its links."""

from datetime import datetime

from pydantic import Field

from api.views.listing import View
from cronny.store.approvals import Approval, ApprovalState, decisions_of


class DecisionView(View):
    """What somebody decided."""

    decision: str = Field(description="`approved` or `rejected`.")
    by: str = Field(description="The name of an API key, or of the person whose link it was.")
    at: datetime
    note: str
    via: str = Field(description="`key` or `link`.")


class ApprovalView(View):
    """A stage that waits, or waited, for people to decide."""

    id: str
    action: str
    trigger: str = Field(description="The id of the trigger.")
    stage: str
    state: ApprovalState
    message: str
    approvers: tuple[str, ...] = Field(description="Who may decide; every API key if there is none.")
    needed: int = Field(description="How many must approve.")
    opened: datetime
    until: datetime = Field(description="When its stage goes on without a decision.")
    decisions: tuple[DecisionView, ...]


def view_approval(approval: Approval, now: datetime) -> ApprovalView:
    """An approval as it is shown."""
    row = approval.row
    return ApprovalView(
        id=row.id,
        action=approval.action,
        trigger=row.trigger_id,
        stage=row.stage_id,
        state=approval.state(now),
        message=row.message,
        approvers=tuple(map(str, row.approvers)) if isinstance(row.approvers, list) else (),
        needed=row.needed,
        opened=row.opened_at,
        until=row.until,
        decisions=tuple(DecisionView.model_validate(one) for one in decisions_of(row)),
    )
