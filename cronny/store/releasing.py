"""Who is told that its turn has come when other triggers have ended."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from cronny.store.open_rows import (
    MOST_TOLD,
    Held,
    OpenRow,
    first_of_full,
    first_without_place,
    open_of_schedules,
    running_in_groups,
    running_of_tenants,
)


class Ended(Protocol):
    """A trigger that has ended, or will not begin."""

    @property
    def tenant_id(self) -> str: ...  # noqa: D102 - a column
    @property
    def action_id(self) -> str: ...  # noqa: D102
    @property
    def schedule_id(self) -> str | None: ...  # noqa: D102
    @property
    def concurrency_key(self) -> str | None: ...  # noqa: D102


@dataclass
class Releases:
    """The workflows that may go, each to be told once."""

    of_schedule: dict[str, str] = field(default_factory=dict)
    of_group: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    of_tenant: dict[str, list[str]] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)

    def after(self, ended: Ended) -> tuple[str, ...]:
        """Those that may go because this one has ended, without those named before."""
        group = (ended.action_id, ended.concurrency_key or "")
        found = [
            self.of_schedule.get(ended.schedule_id or "", ""),
            *(self.of_group.get(group, ()) if ended.concurrency_key is not None else ()),
            *self.of_tenant.get(ended.tenant_id, ()),
        ]
        fresh = tuple(dict.fromkeys(one for one in found if one and one not in self.told))[:MOST_TOLD]
        self.told.update(fresh)
        return fresh


async def releases(session: AsyncSession, held: Held, tenants: Collection[str]) -> Releases:
    """Who may go now, of the schedules, actions and tenants that are locked."""
    return Releases(
        of_schedule=await first_waiting(session, held.schedules),
        of_group=await _of_groups(session, tenants, held.actions),
        of_tenant=await _of_tenants(session, held),
    )


async def first_waiting(session: AsyncSession, schedules: Sequence[str]) -> dict[str, str]:
    """The workflow of the first trigger that waits, by schedule, where none executes."""
    open_rows = (await open_of_schedules(session, schedules)).values()
    busy = {row.schedule_id for row in open_rows if row.is_running}
    first: dict[str, str] = {}
    for row in sorted(open_rows, key=lambda row: row.place):
        if row.schedule_id is not None and row.schedule_id not in busy:
            first.setdefault(row.schedule_id, row.workflow_id)
    return first


async def _of_groups(
    session: AsyncSession, tenants: Collection[str], actions: Collection[str]
) -> dict[tuple[str, str], list[str]]:
    waiting: dict[tuple[str, str], list[OpenRow]] = {}
    for row in await first_without_place(session, tenants, actions):
        if row.group is not None:
            waiting.setdefault(row.group, []).append(row)
    running = await running_in_groups(session, tenants, actions) if waiting else {}
    found: dict[tuple[str, str], list[str]] = {}
    for group, rows in waiting.items():
        taken, limit = running.get(group, (0, 0))
        # Whoever is told too early waits on; the claim knows which version's limit counts.
        most = max(limit, *(row.concurrency_limit or 0 for row in rows))
        found[group] = [row.workflow_id for row in rows[: max(most - taken, 0)]]
    return found


async def _of_tenants(session: AsyncSession, held: Held) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    rows = await first_of_full(session, held.limits)
    running = await running_of_tenants(session, held.limits) if rows else {}
    for row in rows:
        told = found.setdefault(row.tenant_id, [])
        if len(told) < held.limits[row.tenant_id] - running.get(row.tenant_id, 0):
            told.append(row.workflow_id)
    return found
