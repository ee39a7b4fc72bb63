"""What the API shows of an action."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import Field, JsonValue

from api.problem import PlacedProblem
from api.views.listing import View
from api.views.preview import FireChanges
from cronny.store.tables import ActionRow, ActionVersion, ScheduleRow

Change = Literal["created", "updated", "unchanged", "deleted"]


class ActionSummary(View):
    """An action in a list."""

    name: str
    version: int = Field(description="Counts the uploads that changed the text.")
    created: datetime
    updated: datetime


class ActionView(ActionSummary):
    """An action and its newest version."""

    description: str
    labels: dict[str, str]
    schedules: tuple[str, ...] = Field(description="The schedules written in its text.")
    source: str = Field(description="The text as it was uploaded.")
    action: JsonValue = Field(description="The action as it was read, with every default.")


class ScheduleChange(View):
    """What an upload did to a schedule written in the text."""

    name: str
    change: Change
    void_changes: tuple[datetime, ...] = Field(
        (), description="The dues of changed single fires that the rule does not have any more."
    )
    fires: FireChanges | None = Field(None, description="What it would change; in a dry run only.")


class AppliedAction(ActionSummary):
    """What an upload did."""

    change: Change
    schedules: tuple[ScheduleChange, ...]


class Verdict(View):
    """Whether a text is an action."""

    valid: bool
    problems: tuple[PlacedProblem, ...] = Field(description="Everything that is wrong, in reading order.")


def summarise_action(row: ActionRow) -> ActionSummary:
    """An action as a list shows it."""
    return ActionSummary(name=row.name, version=row.version, created=row.created_at, updated=row.updated_at)


def view_action(row: ActionRow, version: ActionVersion, schedules: Iterable[ScheduleRow]) -> ActionView:
    """An action as it is shown alone."""
    model = version.model if isinstance(version.model, dict) else {}
    labels = model.get("labels")
    return ActionView(
        **summarise_action(row).model_dump(),
        description=str(model.get("description") or ""),
        labels={key: str(value) for key, value in labels.items()} if isinstance(labels, dict) else {},
        schedules=tuple(sorted(schedule.name for schedule in schedules)),
        source=version.source,
        action=version.model,
    )
