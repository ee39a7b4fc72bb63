"""The kind `approval`: waits until people have said yes, or somebody no."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints, model_validator

from activities.stages.kind import Block, Kind, StageContext, StageError
from activities.stages.request import Answer, Request
from dsl.action import Span
from dsl.durations import format_duration

Approver = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@+-]{0,99}$")]
MOST_APPROVERS = 50


class ApprovalWith(Block):
    """The `with:` block of `approval`."""

    message: str = Field(max_length=4000, description="What is to be approved, for those who decide.")
    approvers: tuple[Approver, ...] = Field(
        (),
        max_length=MOST_APPROVERS,
        description="Who may decide: the names of API keys, or of persons who are sent a link; "
        "without any, every API key that may operate.",
    )
    needed: int = Field(
        1, ge=1, le=MOST_APPROVERS, description="How many must approve; one rejection is enough."
    )
    on_timeout: Literal["approve", "reject", "fail"] = Field(
        "fail", description="What it means when the stage's `timeout`, 7 days unless given, is over."
    )
    remind_after: Span | None = Field(
        None, description="When connectors `on: reminder` fire, if nothing is decided by then."
    )

    @model_validator(mode="after")
    def _fit(self) -> "ApprovalWith":
        if len(set(self.approvers)) < len(self.approvers):
            raise ValueError("approvers: each name only once")
        if self.approvers and self.needed > len(self.approvers):
            raise ValueError("needed: more than there are approvers; lower it, or add some")
        return self


def request(with_: ApprovalWith, _: object) -> Request:
    """The decision that is asked for."""
    return Request(
        message=with_.message,
        approvers=with_.approvers,
        needed=with_.needed,
        remind_after=with_.remind_after,
    )


async def run(context: StageContext[ApprovalWith, None]) -> JsonValue:
    """The decision; a rejection is the error `approval.rejected`."""
    answer = context.answer
    assert answer is not None  # noqa: S101 - it is run with one
    if answer.is_late:
        return _late(context.with_, answer, format_duration(context.timeout))
    decisions = answer.value if isinstance(answer.value, list) else []
    last = decisions[-1] if decisions and isinstance(decisions[-1], dict) else {}
    summary: dict[str, JsonValue] = {name: last.get(name) for name in ("decision", "by", "at", "note")}
    if last.get("decision") != "approved":
        reason = f": {last['note']}" if last.get("note") else ""
        raise _rejected(f"rejected by {last.get('by')}{reason}", summary)
    return {**summary, "decisions": decisions}


def _late(with_: ApprovalWith, answer: Answer, span: str) -> JsonValue:
    note = f"nobody decided within {span}"
    summary: dict[str, JsonValue] = {"by": "timeout", "at": answer.at.isoformat(), "note": note}
    match with_.on_timeout:
        case "approve":
            return {"decision": "approved", **summary, "decisions": answer.value or []}
        case "reject":
            raise _rejected(note, {"decision": "rejected", **summary})
    raise StageError("timeout", note, retryable=False)


def _rejected(message: str, summary: dict[str, JsonValue]) -> StageError:
    return StageError("approval.rejected", message, retryable=False, details=summary)


APPROVAL = Kind(
    name="approval",
    with_model=ApprovalWith,
    connection="none",
    is_pure=False,
    is_waiting=True,
    connection_model=None,
    run=run,
    request=request,
    summary="Waits for people to approve or reject, and holds nothing meanwhile.",
    example="""\
id: release
uses: approval
timeout: 2d
with:
  message: "Release ${{ trigger.number }} to production?"
  approvers: [ada, grace@example.com]
  remind_after: 4h
  on_timeout: reject
""",
)
