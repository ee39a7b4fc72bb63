"""The days and the seconds of a day at which cron text fires; the clocks are ours."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from cronsim import CronSim

from cronny.scheduling.days import END
from dsl.cron import five_fields

_ANY = datetime(2026, 1, 1, tzinfo=UTC)  # the text is asked for its fields only, never for what follows
_DAY = timedelta(days=1)
_KEPT = 4096  # texts of which schedules with equal ones share what was read


@dataclass(frozen=True)
class Cron:
    """Cron text as it was read; implements Dates."""

    text: str

    def since(self, day: date) -> Iterator[date]:
        """The dates from `day` on, in order; none later than the last year of all rules."""
        fields = _fields(self.text)
        while day <= END:
            if day.month not in fields.months:
                day = (day.replace(day=1) + 31 * _DAY).replace(day=1)
                continue
            if fields.match_day(day):
                yield day
            day += _DAY

    @property
    def seconds(self) -> Sequence[int]:
        """The seconds of a day at which it fires."""
        return _seconds(self.text)

    @property
    def is_by_the_clock(self) -> bool:
        """Whether it fires whenever clocks show its minutes, as cron does for hours or minutes with a star.

        Others are for a time of day, which a day has once, however clocks are changed.
        """
        return any(field.startswith("*") for field in five_fields(self.text).split()[:2])


@lru_cache(_KEPT)
def _fields(text: str) -> CronSim:
    return CronSim(five_fields(text), _ANY)


@lru_cache(_KEPT)
def _seconds(text: str) -> Sequence[int]:
    fields = _fields(text)
    return tuple(
        hour * 3600 + minute * 60 for hour in sorted(fields.hours) for minute in sorted(fields.minutes)
    )
