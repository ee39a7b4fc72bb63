"""A tenant's secrets; they are sealed before they come here."""

from datetime import datetime

from cronny.names import new_id
from cronny.store.named import Named
from cronny.store.tenant_tables import SecretRow


class Secrets(Named[SecretRow]):
    """The secrets of one tenant."""

    table = SecretRow
    noun = "secret"

    async def reserve(self, name: str, now: datetime) -> SecretRow:
        """The row to fill, locked: the one of that name, or a new one with an id to seal for."""
        return await self.find(name, is_locked=True) or SecretRow(
            id=new_id("sec", now), tenant_id=self._tenant_id, name=name, sealed="", revision=0,
            created_at=now, updated_at=now,
        )  # fmt: skip

    async def save(self, row: SecretRow, sealed: str, now: datetime) -> None:
        """Fill a reserved row."""
        row.sealed, row.updated_at = sealed, now
        row.revision += 1
        self._session.add(row)
        await self._session.flush()
