"""What the API shows of a rule before it is saved."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.views.listing import View
from cronny.scheduling.difference import Difference, Fires
from cronny.scheduling.walltime import ClockChange


class PreviewFire(View):
    """A fire as it would be."""

    due: datetime = Field(description="In UTC.")
    local: datetime = Field(description="On the clocks of the rule's zone.")
    clock_change: ClockChange | Literal[""] = Field(
        description="`gap`: its wall time is skipped that day, it fires as the gap ends; "
        "`overlap`: its wall time is shown twice that day."
    )


class FireList(View):
    """How many fires there are, and the first 50."""

    count: int
    first: tuple[datetime, ...]


class FireChanges(View):
    """What an edit does to the fires from now on."""

    until: datetime = Field(description="How far was looked: 90 days, or less for a frequent rule.")
    added: FireList
    removed: FireList


class Preview(View):
    """A rule as it was read, and its next fires."""

    description: str = Field(description="The rule in plain language.")
    timezone: str
    fires: tuple[PreviewFire, ...]
    against: str | None = Field(description="The saved schedule it was compared with.")
    changes: FireChanges | None = Field(description="What it would change there; none if not compared.")


def view_changes(found: Difference) -> FireChanges:
    """A difference as it is answered."""
    return FireChanges(until=found.until, added=_list(found.added), removed=_list(found.removed))


def _list(fires: Fires) -> FireList:
    return FireList(count=fires.count, first=tuple(fires.first))
