"""The rows that some claims look at, and what becomes of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cronny.scheduling.overlap import Others
from cronny.scheduling.places import Places
from cronny.store.claims import Place
from cronny.store.open_rows import KEPT, NO_PLACE, TENANT_FULL, OpenRow
from cronny.store.records import PLACE_CANCELLED


@dataclass
class ClaimTable:
    """The rows at hand, by id, and how each was in the database."""

    rows: dict[str, OpenRow]
    limits: Mapping[str, int]  #: How many triggers may execute at once, by tenant, where that is limited.
    running: Mapping[str, int] = field(default_factory=dict)  #: How many of these do, in the database.
    killed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._before = {row.id: replace(row) for row in self.rows.values()}
        self._of_schedule: dict[str, list[OpenRow]] = {}
        self._of_tenant: dict[str, list[OpenRow]] = {}
        self._of_action: dict[str, list[OpenRow]] = {}
        for row in self.rows.values():
            self._of_tenant.setdefault(row.tenant_id, []).append(row)
            self._of_action.setdefault(row.action_id, []).append(row)
            if row.schedule_id is not None:
                self._of_schedule.setdefault(row.schedule_id, []).append(row)

    def others(self, row: OpenRow) -> Others:
        """Those of the same schedule that have not ended."""
        same = [one for one in self._of_schedule.get(row.schedule_id or "", ()) if one is not row]
        waiting = sorted((one for one in same if one.is_waiting), key=lambda one: one.place)
        return Others(
            running=[one.id for one in same if one.is_running],
            ahead=[one.id for one in waiting if one.place < row.place],
            behind=[one.id for one in waiting if one.place > row.place],
        )

    def give_place(self, row: OpenRow, place: Place) -> None:
        """Count a row with the triggers of its action that have the same key."""
        row.is_guarded, row.concurrency_limit, row.concurrency_key = True, place.limit, place.key

    def places(self, row: OpenRow, killed: tuple[str, ...]) -> Places:
        """The places of its action and key; those of what is to be killed are free."""
        same = [
            one
            for one in self._of_action[row.action_id]
            if one.concurrency_key == row.concurrency_key and one.id not in killed
        ]
        running = sorted((one for one in same if one.is_running), key=lambda one: one.place)
        # One that waits for its schedule only takes no place before it can.
        wants = [one for one in same if one.is_waiting and one.reason in (NO_PLACE, TENANT_FULL)]
        wants.sort(key=lambda one: one.place)
        newest = max((one for one in (row, *running, *wants)), key=lambda one: one.action_version)
        stays = [one.id for one in running if one.reason != PLACE_CANCELLED]
        return Places(
            limit=newest.concurrency_limit or 1,
            running=stays,
            leaving=len(running) - len(stays),
            ahead=[one.id for one in wants if one.place < row.place],
            behind=[one.id for one in wants if one.place > row.place],
        )

    def is_tenant_full(self, row: OpenRow, killed: tuple[str, ...]) -> bool:
        """Whether its tenant may execute no further trigger now, or others have waited longer for that."""
        limit = self.limits.get(row.tenant_id)
        if limit is None:
            return False
        same = self._of_tenant[row.tenant_id]
        began = sum(one.is_running - self._before[one.id].is_running for one in same)
        given_up = sum(one.is_running for one in same if one.id in killed)
        ahead = sum(one.is_waiting and one.reason == TENANT_FULL and one.place < row.place for one in same)
        return self.running.get(row.tenant_id, 0) + began - given_up + ahead >= limit

    def changes(self) -> list[dict[str, Any]]:
        """What to write, in the order in which claims lock rows."""
        return [
            {"of_trigger": row.id, "from_state": self._before[row.id].state, **values}
            for row in sorted(self.rows.values(), key=lambda row: row.id)
            if (values := _values(row)) != _values(self._before[row.id])
        ]

    def left(self) -> Iterator[OpenRow]:
        """The rows that executed or waited, or were to wait, and have ended."""
        for row in self.rows.values():
            if row.finished_at is not None and self._before[row.id].finished_at is None:
                yield row


def _values(row: OpenRow) -> dict[str, Any]:
    return {f"to_{name}": getattr(row, name) for name in KEPT}
