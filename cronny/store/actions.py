"""A tenant's actions and their versions."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.errors import NotFound
from cronny.names import new_id
from cronny.store.owned import require_own
from cronny.store.tables import ActionRow, ActionVersion, ScheduleRow, Tenant


class Actions:
    """The actions of one tenant."""

    def __init__(self, session: AsyncSession, tenant: Tenant) -> None:
        self._session = session
        self._tenant = tenant

    async def save(
        self, name: str, source: str, model: JsonValue, now: datetime, priority: int | None = None
    ) -> tuple[ActionRow, bool]:
        """The action with this text as its newest version, and whether that is a new one.

        The same text again makes no version.
        """
        action = await self._locked(name)
        if action is None:
            action = ActionRow(
                id=new_id("act", now),
                tenant_id=self._tenant.id,
                name=name,
                version=0,
                created_at=now,
                updated_at=now,
            )
            self._session.add(action)
            await self._session.flush()
        elif (await self.version(action)).source == source:
            return action, False
        action.version += 1
        action.priority = priority
        action.updated_at = now
        self._session.add(
            ActionVersion(
                action_id=action.id, version=action.version, source=source, model=model, created_at=now
            )
        )
        await self._session.flush()
        return action, True

    async def get(self, name: str) -> ActionRow:
        """The action of that name; raises NotFound."""
        query = select(ActionRow).where(
            col(ActionRow.tenant_id) == self._tenant.id, col(ActionRow.name) == name
        )
        action = (await self._session.execute(query)).scalar_one_or_none()
        if action is None:
            raise NotFound(f"there is no action '{name}'")
        return action

    async def all(self) -> Sequence[ActionRow]:
        """Every action, by name."""
        query = (
            select(ActionRow).where(col(ActionRow.tenant_id) == self._tenant.id).order_by(col(ActionRow.name))
        )
        return (await self._session.execute(query)).scalars().all()

    async def of(self, schedule: ScheduleRow) -> ActionRow:
        """The action that one of the tenant's schedules triggers."""
        require_own(self._tenant, schedule)
        query = select(ActionRow).where(col(ActionRow.id) == schedule.action_id)
        return (await self._session.execute(query)).scalar_one()

    async def newest(self) -> Sequence[ActionVersion]:
        """The newest version of every action, by the action's name."""
        is_newest = and_(
            col(ActionVersion.action_id) == col(ActionRow.id),
            col(ActionVersion.version) == col(ActionRow.version),
        )
        query = select(ActionVersion).join(ActionRow, is_newest).order_by(col(ActionRow.name))
        query = query.where(col(ActionRow.tenant_id) == self._tenant.id)
        return (await self._session.execute(query)).scalars().all()

    async def version(self, action: ActionRow) -> ActionVersion:
        """The newest version of an action."""
        require_own(self._tenant, action)
        return await find_version(self._session, action.id, action.version)

    async def _locked(self, name: str) -> ActionRow | None:
        query = select(ActionRow).where(
            col(ActionRow.tenant_id) == self._tenant.id, col(ActionRow.name) == name
        )
        return (await self._session.execute(query.with_for_update(key_share=True))).scalar_one_or_none()


async def find_version(session: AsyncSession, action_id: str, version: int) -> ActionVersion:
    """One version of an action, for the engine, which knows ids; raises NotFound."""
    found = await session.get(ActionVersion, (action_id, version))
    if found is None:
        raise NotFound(f"there is no version {version} of action {action_id}")
    return found
