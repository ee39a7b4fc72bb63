"""What the bodies of requests hold."""

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, StrictBool

Inputs = dict[str, JsonValue]


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    return text


Note = Annotated[str, Field(max_length=1000), AfterValidator(_storable)]


class Sent(BaseModel):
    """What a body must be: no field that is not listed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RunRequest(Sent):
    """What a trigger asked for by hand is given."""

    inputs: Inputs = Field({}, description="Values of the action's inputs; what is left out has its default.")


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


class ConnectionRequest(Sent):
    """What a connection is to be; it replaces what was there, secrets included."""

    kind: str = Field(description="The kind of stage it is for.", examples=["postgres"])
    settings: Inputs = Field(
        description="The fields of that kind's connection, secret ones among them.",
        examples=[{"host": "db.example.com", "database": "orders", "user": "app", "password": "…"}],
    )
