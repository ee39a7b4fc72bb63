"""A tenant's actions and their versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from pydantic import JsonValue
from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import QueryableAttribute, defer
from sqlmodel import col

from cronny.errors import NotFound
from cronny.names import new_id
from cronny.store.owned import require_own
from cronny.store.tables import ActionRow, ActionVersion, ScheduleRow, Tenant

# SQLModel types a column as its value.
_SOURCE = cast("QueryableAttribute[str]", ActionVersion.source)
_MODEL = cast("QueryableAttribute[JsonValue]", ActionVersion.model)


DRAFT = "@"  # in no name that anybody could write


@dataclass(frozen=True)
class Made:
    """How a version came to be."""

    actor: str = ""
    restored: int | None = None  #: Of a rollback: the version whose text it has.
    priority: int | None = None  #: That the action says; none in the middle.


BY_NOBODY = Made()


class Actions:
    """The actions of one tenant."""

    def __init__(self, session: AsyncSession, tenant: Tenant) -> None:
        self._session = session
        self._tenant = tenant

    async def lock(self, name: str) -> None:
        """Let nobody else change an action, if there is one, until the transaction ends."""
        await self._locked(name)

    async def save(
        self, name: str, source: str, model: JsonValue, now: datetime, made: Made = BY_NOBODY
    ) -> tuple[ActionRow, bool]:
        """The action with this text as its newest version, and whether that changed anything.

        The same text again makes no version; an action that was deleted is there again, with its versions.
        """
        action = await self._locked(name)
        was_deleted = action is not None and action.deleted_at is not None
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
            action.deleted_at = None
            return action, was_deleted
        action.version += 1
        action.priority = made.priority
        action.updated_at, action.deleted_at = now, None
        self._session.add(
            ActionVersion(
                action_id=action.id, version=action.version, source=source, model=model,
                actor=made.actor, restored=made.restored, created_at=now,
            )
        )  # fmt: skip
        await self._session.flush()
        return action, True

    async def draft(self, name: str, source: str, model: JsonValue, now: datetime) -> ActionRow:
        """A text that is tested, and no version of its action; it goes with the trigger that tests it."""
        id_ = new_id("act", now)
        action = ActionRow(
            id=id_, tenant_id=self._tenant.id, name=f"{name}{DRAFT}{id_}", version=1, created_at=now,
            updated_at=now, deleted_at=now,
        )  # fmt: skip
        self._session.add(action)
        await self._session.flush()
        self._session.add(ActionVersion(action_id=id_, version=1, source=source, model=model, created_at=now))
        await self._session.flush()
        return action

    async def get(self, name: str, *, is_held: bool = False, with_deleted: bool = False) -> ActionRow:
        """The action of that name; held, it is not deleted before the commit. Raises NotFound."""
        query = select(ActionRow).where(
            col(ActionRow.tenant_id) == self._tenant.id, col(ActionRow.name) == name
        )
        if not with_deleted:
            query = query.where(col(ActionRow.deleted_at).is_(None))
        query = query.with_for_update(read=True) if is_held else query
        action = (await self._session.execute(query)).scalar_one_or_none()
        if action is None:
            raise NotFound(f"there is no action '{name}'")
        return action

    async def delete(self, name: str, now: datetime) -> ActionRow:
        """Take an action away, which no schedule may trigger any more; raises NotFound."""
        action = await self._locked(name)
        if action is None or action.deleted_at is not None:
            raise NotFound(f"there is no action '{name}'")
        action.deleted_at = now
        await self._session.flush()
        return action

    async def all(self) -> Sequence[ActionRow]:
        """Every action, by name."""
        query = (
            select(ActionRow)
            .where(col(ActionRow.tenant_id) == self._tenant.id, col(ActionRow.deleted_at).is_(None))
            .order_by(col(ActionRow.name))
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
        query = query.where(col(ActionRow.tenant_id) == self._tenant.id, col(ActionRow.deleted_at).is_(None))
        return (await self._session.execute(query)).scalars().all()

    async def version(self, action: ActionRow, number: int | None = None) -> ActionVersion:
        """A version of an action, the newest unless a number is given; raises NotFound."""
        require_own(self._tenant, action)
        if number is not None and not 1 <= number <= action.version:
            raise NotFound(
                f"the action '{action.name}' has no version {number}; its newest is {action.version}"
            )
        return await find_version(self._session, action.id, number or action.version)

    async def versions(self, action: ActionRow, before: int | None, limit: int) -> Sequence[ActionVersion]:
        """The latest versions of an action, those before the one last seen, without what they hold."""
        require_own(self._tenant, action)
        query = select(ActionVersion).options(defer(_SOURCE), defer(_MODEL))
        query = query.where(col(ActionVersion.action_id) == action.id)
        if before is not None:
            query = query.where(col(ActionVersion.version) < before)
        query = query.order_by(col(ActionVersion.version).desc()).limit(limit)
        return (await self._session.execute(query)).scalars().all()

    async def _locked(self, name: str) -> ActionRow | None:
        query = select(ActionRow).where(
            col(ActionRow.tenant_id) == self._tenant.id, col(ActionRow.name) == name
        )
        return (await self._session.execute(query.with_for_update(key_share=True))).scalar_one_or_none()


def is_draft(action: ActionRow) -> bool:
    """Whether it is a text that is only tested."""
    return DRAFT in action.name


def plain_name(name: str) -> str:
    """The name as it was written."""
    return name.partition(DRAFT)[0]


async def find_version(session: AsyncSession, action_id: str, version: int) -> ActionVersion:
    """One version of an action, for the engine, which knows ids; raises NotFound."""
    found = await session.get(ActionVersion, (action_id, version))
    if found is None:
        raise NotFound(f"there is no version {version} of action {action_id}")
    return found
