"""What the API shows of a single fire that was changed."""

from datetime import datetime

from pydantic import Field, JsonValue

from api.views.listing import View
from cronny.scheduling import Compiled
from cronny.scheduling.bounds import TICK
from cronny.store.tables import ChangeKind, FireChange


class FireChangeView(View):
    """What an operator asked of a single fire."""

    due: datetime = Field(description="The nominal instant of the fire.")
    local: datetime = Field(description="On the clocks of the schedule's zone.")
    kind: ChangeKind
    moved_to: datetime | None = Field(description="When it happens instead, if it was moved.")
    inputs: JsonValue = Field(description="What it is given, if it was given other inputs.")
    actor: str = Field(description="The name of the API key that asked for it.")
    note: str
    at: datetime = Field(description="When it was asked for.")
    void: bool = Field(description="The rule has no such fire any more.")


def view_change(change: FireChange, compiled: Compiled) -> FireChangeView:
    """A change as it stands against the present rule."""
    return FireChangeView(
        due=change.due,
        local=compiled.local(change.due),
        kind=change.kind,
        moved_to=change.moved_to,
        inputs=change.inputs,
        actor=change.actor,
        note=change.note,
        at=change.at,
        void=not has_fire(compiled, change.due),
    )


def has_fire(compiled: Compiled, due: datetime) -> bool:
    """Whether a rule fires at an instant."""
    return compiled.next(due - TICK) == due
