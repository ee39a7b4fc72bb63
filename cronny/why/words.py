"""Spans, instants and persons as an explanation names them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cronny.why.facts import Mark

_SECOND = timedelta(seconds=1)
_PRECISE = timedelta(seconds=10)  # below this a span has a decimal


def span_text(span: timedelta) -> str:
    """`12 ms`, `0.3 s`, `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`."""
    if span < timedelta(milliseconds=100):
        return f"{max(span, timedelta(0)) / timedelta(milliseconds=1):.0f} ms"
    if span < _PRECISE:
        return f"{span / _SECOND:.1f}".removesuffix(".0") + " s"
    rest = round(span / _SECOND)
    parts: list[tuple[int, str]] = []
    for unit, seconds in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, seconds)
        if count or parts:
            parts.append((count, unit))
    return " ".join(f"{count} {unit}" for count, unit in parts[:2] if count)


@dataclass(frozen=True)
class Clock:
    """Instants on the clocks of a zone."""

    zone: ZoneInfo

    def time(self, instant: datetime) -> str:
        """`2026-11-24 09:00`, with seconds only where there are any."""
        local = instant.astimezone(self.zone).replace(tzinfo=None)
        exact = local.replace(microsecond=local.microsecond // 1000 * 1000)
        detail = "milliseconds" if exact.microsecond else "seconds" if exact.second else "minutes"
        return exact.isoformat(" ", detail)

    def at(self, instant: datetime) -> str:
        """`2026-11-24 09:00 Europe/London`; with the offset where the clocks show it twice."""
        return f"{self.time(instant)} {self._place(instant)}"

    def both(self, first: datetime, second: datetime) -> str:
        """`2026-11-24 09:00 and 2026-12-01 09:00 Europe/London`."""
        return f"{self.time(first)} and {self.at(second)}"

    def by(self, mark: Mark) -> str:
        """` by ada at 2026-11-24 09:00 UTC, "not today"`."""
        person = f"by {mark.by} " if mark.by else ""
        note = f', "{mark.note}"' if mark.note else ""
        return f"{person}at {self.at(mark.at.replace(microsecond=0))}{note}"

    def _place(self, instant: datetime) -> str:
        local = instant.astimezone(self.zone)
        other = local.replace(fold=1 - local.fold).utcoffset()
        return f"{local:%Z}" if other != local.utcoffset() else self.zone.key
