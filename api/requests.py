"""What the bodies of requests hold."""

from typing import Annotated

from fastapi import Query
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    StrictBool,
)

from api.instants import GivenInstant
from api.permissions import Role, Scope
from cronny.names import NAME_PATTERN
from dsl.options import Overlap
from dsl.rehearsal import Given

Inputs = dict[str, JsonValue]


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    return text


Force = Annotated[bool, Query(description="Do it although something uses it.")]
Note = Annotated[str, Field(max_length=1000), AfterValidator(_storable)]


class Sent(BaseModel):
    """What a body must be: no field that is not listed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RunRequest(Sent):
    """What a trigger asked for by hand is given."""

    inputs: Inputs = Field({}, description="Values of the action's inputs; what is left out has its default.")


class ActionTest(Sent):
    """How an action is tested."""

    inputs: Inputs = Field({}, description="Values of the action's inputs; what is left out has its default.")
    given: dict[str, Given] = Field(
        {}, description="By the id of a stage, how it ends: `output`, `items` or `error`."
    )
    from_trigger: str | None = Field(
        None, description="A trigger whose stages stand in for those for which nothing is given."
    )
    allow: tuple[str, ...] = Field((), description="Stages that are executed with their side effects.")
    only: str | None = Field(
        None, description="The only stage that is tested, side effects included unless it is given."
    )
    source: str | None = Field(
        None, description="The text to test instead of the stored one; nothing of it is kept as a version."
    )


class RerunRequest(Sent):
    """What of a trigger is executed again."""

    from_: tuple[str, ...] = Field(
        (), alias="from", description="Stages to begin with; without any, those that failed or never ended."
    )


class PauseRequest(Sent):
    """Why a schedule is paused, and for how long."""

    note: Note = Field("", description="For those who wonder later.")
    until: AwareDatetime | None = Field(
        None, description="It fires again from this instant on, RFC 3339; when it is resumed, unless given."
    )


class ResumeRequest(Sent):
    """How a schedule goes on."""

    catchup: StrictBool = Field(
        False,
        description="Whether what fell into the pause is caught up as the schedule's `catchup` says; "
        "otherwise it is skipped.",
    )


class ScheduleRequest(Sent):
    """What a schedule is to be."""

    action: str = Field(description="The action it triggers.")
    schedule: JsonValue = Field(
        description="The rule: a phrase or a mapping.",
        examples=["every day at 09:00", {"every": "week", "on": "monday", "timezone": "Europe/London"}],
    )
    inputs: Inputs = Field({}, description="Values of the action's inputs, for every fire.")
    paused: StrictBool = Field(False, description="Whether a new schedule begins paused.")


class NoteRequest(Sent):
    """Why something is done."""

    note: Note = Field("", description="For those who wonder later.")


class CancelRequest(NoteRequest):
    """How a trigger is to end."""

    force: StrictBool = Field(
        False,
        description="End it at once: nothing is cleaned up, undone or finished. Otherwise its stages are "
        "cancelled, what it did is undone, and `on_finish` is executed.",
    )


class MoveRequest(NoteRequest):
    """Where a single fire is moved to."""

    to: GivenInstant = Field(description="When it is to happen; it lies in the future.")


class FireInputsRequest(NoteRequest):
    """What a single fire is given."""

    inputs: Inputs = Field(description="Values of the action's inputs, above those of the schedule.")


class BackfillRequest(NoteRequest):
    """A range of the past to execute."""

    model_config = ConfigDict(populate_by_name=False)

    since: GivenInstant = Field(alias="from", description="The first instant of the range.")
    until: GivenInstant = Field(alias="to", description="The last instant of the range.")
    rate: Annotated[int, Field(ge=1, le=6000, strict=True)] = Field(
        60, description="Triggers that are started in a minute at the most."
    )
    overlap: Overlap = Field(
        "queue_all",
        description="What becomes of one that is to start while another of the schedule executes.",
    )
    inputs: Inputs = Field({}, description="Values of the action's inputs, above those of the schedule.")
    dry_run: StrictBool = Field(False, description="Only count.")


class DeclineRequest(NoteRequest):
    """What of the missed fires is decided upon."""

    until: GivenInstant | None = Field(
        None, description="Only ranges that end by this instant; all, unless given."
    )


class ApproveRequest(DeclineRequest):
    """Which of the missed fires are executed after all."""

    last_only: StrictBool = Field(False, description="Only the latest; the others stay missed.")


class PreviewRequest(Sent):
    """A rule to look at before it is saved."""

    schedule: JsonValue = Field(
        description="The rule: a phrase or a mapping.", examples=["every weekday at 09:00 Europe/London"]
    )
    action: str | None = Field(None, description="Check the inputs against this action.")
    inputs: Inputs = Field({}, description="Values of the action's inputs, as they would be saved.")
    paused: StrictBool = Field(False, description="As in the request that saves; it changes no fire.")
    name: str | None = Field(None, description="A saved schedule to compare the rule with.")
    count: Annotated[int, Field(ge=1, le=200, strict=True)] = Field(10, description="How many fires.")
    after: GivenInstant | None = Field(None, description="Show fires after this instant; now, unless given.")


class ConnectionRequest(Sent):
    """What a connection is to be; it replaces what was there, secrets included."""

    kind: str = Field(description="The kind of stage it is for.", examples=["postgres"])
    settings: Inputs = Field(
        description="The fields of that kind's connection, secret ones among them.",
        examples=[{"host": "db.example.com", "database": "orders", "user": "app", "password": "…"}],
    )


class VariableRequest(Sent):
    """What a variable is to be."""

    value: JsonValue = Field(description="Any JSON but null.", examples=["eu-west-1", 3, ["a", "b"]])


class SecretRequest(Sent):
    """What a secret is to be."""

    value: Annotated[SecretStr, Field(min_length=4, max_length=65_536)] = Field(
        description="A text; what has fewer than four characters could not be masked."
    )


class RollbackRequest(NoteRequest):
    """Which version of an action is to be the newest again."""

    version: Annotated[int, Field(ge=1, strict=True)] | None = Field(
        None, description="The one before the newest, unless given; of a deleted action the newest."
    )


class KeyRequest(Sent):
    """What an API key is to be."""

    name: Annotated[str, Field(pattern=NAME_PATTERN)] = Field(
        description="Who uses it: it stands in the events of what is done with the key.", examples=["ci"]
    )
    role: Role = Field(description="What it may at the most.")
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)] | None = Field(
        None,
        description="What of that it may; all, unless given.",
        examples=[["actions:read", "actions:run"]],
    )
    expires: AwareDatetime | None = Field(
        None, description="From when on it is refused, RFC 3339; never, unless given."
    )
