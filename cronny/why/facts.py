"""What an explanation is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cronny.scheduling.compiled import Compiled
from cronny.scheduling.datesets import DateSet
from cronny.store.tables import ChangeKind, TriggerRow, TriggerState
from cronny.why.asked import Asked
from dsl.schedule import Schedule


@dataclass(frozen=True)
class Mark:
    """Something that was done, by whom, and why if somebody said so."""

    at: datetime
    by: str = ""
    note: str = ""


@dataclass(frozen=True)
class Version:
    """A rule of the schedule, in force from one change to the next."""

    schedule: Schedule
    compiled: Compiled
    anchor: datetime
    since: Mark
    until: Mark | None = None
    is_deleted: bool = False  #: Whether it was ended by a deletion, not by another rule.

    def holds(self, instant: datetime) -> bool:
        """Whether it was, is or will be in force then."""
        return self.since.at <= instant and (self.until is None or instant < self.until.at)


@dataclass(frozen=True)
class Pause:
    """A pause; it lasts where it has no end."""

    began: Mark
    ended: Mark | None = None
    until: datetime | None = None  #: When one that lasts ends by itself.

    def holds(self, instant: datetime) -> bool:
        """Whether the schedule was paused then."""
        return self.began.at <= instant and (self.ended is None or instant <= self.ended.at)


@dataclass(frozen=True)
class Past:
    """What the events tell of a schedule, each part in order."""

    versions: tuple[Version, ...]
    pauses: tuple[Pause, ...] = ()

    def version(self, instant: datetime) -> Version | None:
        """The rule in force then."""
        return next((one for one in reversed(self.versions) if one.holds(instant)), None)

    def pause(self, instant: datetime) -> Pause | None:
        """The pause in force then."""
        return next((one for one in reversed(self.pauses) if one.holds(instant)), None)


@dataclass(frozen=True)
class Change:
    """What an operator asked of a single fire."""

    kind: ChangeKind
    due: datetime
    made: Mark
    moved_to: datetime | None = None


@dataclass(frozen=True)
class Tally:
    """How many fires of the asked instants are in one state, and the latest of them."""

    state: TriggerState
    count: int
    last: datetime


@dataclass(frozen=True)
class Facts:
    """All that is known about the asked instants of a schedule."""

    asked: Asked
    now: datetime
    past: Past
    cursor: datetime  #: Every fire up to here is in the ledger.
    retention: timedelta
    row: TriggerRow | None = None  #: The fire, if the asked instants have one in the ledger.
    tallies: tuple[Tally, ...] = ()  #: Of all their fires, where there are several.
    requested: Mark | None = None  #: Who asked for it, of a trigger by hand.
    settled: Mark | None = None  #: What people or the watchdog did that settled it.
    before: datetime | None = None  #: The due of the trigger that it waits or waited for.
    changes: tuple[Change, ...] = ()  #: Of single fires of the schedule.
    backfill: TriggerRow | None = None  #: The trigger by which a backfill made up for the fire.
    stage: str = ""  #: The stage that it executes.
    schedule_id: str = ""  #: What jitter and spread are made from.
    calendars: Mapping[str, DateSet] = field(default_factory=dict)

    def change(self, kind: ChangeKind, due: datetime) -> Change | None:
        """What was asked of one fire."""
        return next((one for one in self.changes if one.kind is kind and one.due == due), None)
