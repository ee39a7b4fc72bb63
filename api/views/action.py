"""What the API shows of an action."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field, JsonValue

from api.problem import PlacedProblem
from api.views.listing import View
from api.views.preview import FireChanges
from cronny.store.tables import ActionRow, ActionVersion, ScheduleRow
from dsl.differences import Difference

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


class FieldDifference(View):
    """A field that two versions have otherwise; null where it is not there."""

    field: str = Field(description="Such as `with.url`.")
    before: JsonValue
    after: JsonValue


class PartDifference(View):
    """A part that one version has and another has not, or otherwise."""

    change: Literal["added", "removed", "changed"]
    part: Literal["action", "input", "stage", "connector", "schedule", "output"]
    name: str = Field(description="Of a connector `from -> to`; of a field of the action itself its name.")
    fields: tuple[FieldDifference, ...] = Field(description="Of what has changed.")


class AppliedAction(ActionSummary):
    """What an upload or a deletion did, or in a dry run would do."""

    change: Change
    schedules: tuple[ScheduleChange, ...]
    differences: tuple[PartDifference, ...] = Field((), description="From the version before, part by part.")


@dataclass(frozen=True)
class Effect:
    """What an upload did to one schedule."""

    row: ScheduleRow
    change: Change
    void: tuple[datetime, ...] = ()  #: The dues of changed fires that the rule does not have any more.


@dataclass(frozen=True)
class Saved:
    """What came of writing an action."""

    change: Change
    action: ActionRow
    effects: Sequence[Effect] = ()
    differences: Sequence[Difference] = ()


class Verdict(View):
    """Whether a text is an action."""

    valid: bool
    problems: tuple[PlacedProblem, ...] = Field(description="Everything that is wrong, in reading order.")


def summarise_action(row: ActionRow) -> ActionSummary:
    """An action as a list shows it."""
    return ActionSummary(name=row.name, version=row.version, created=row.created_at, updated=row.updated_at)


def applied(saved: Saved, schedules: Iterable[ScheduleChange]) -> AppliedAction:
    """What was written, as it is answered."""
    return AppliedAction(
        **summarise_action(saved.action).model_dump(),
        change=saved.change,
        schedules=tuple(schedules),
        differences=view_differences(saved.differences),
    )


def view_differences(found: Iterable[Difference]) -> tuple[PartDifference, ...]:
    """Differences as they are answered."""
    return tuple(PartDifference.model_validate(asdict(one)) for one in found)


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
