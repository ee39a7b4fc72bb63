"""A tenant's variables."""

from datetime import datetime

from pydantic import JsonValue

from cronny.names import new_id
from cronny.store.named import Named
from cronny.store.tenant_tables import VariableRow


class Variables(Named[VariableRow]):
    """The variables of one tenant."""

    table = VariableRow
    noun = "variable"

    async def save(self, name: str, value: JsonValue, now: datetime) -> tuple[VariableRow, bool]:
        """The variable with this value, and whether that changed anything."""
        row = await self.find(name, is_locked=True)
        if row is not None and _is_same(row.value, value):
            return row, False
        if row is None:
            row = VariableRow(
                id=new_id("var", now), tenant_id=self._tenant_id, name=name, value=value, revision=0,
                created_at=now, updated_at=now,
            )  # fmt: skip
            self._session.add(row)
        row.value, row.updated_at = value, now
        row.revision += 1
        await self._session.flush()
        return row, True


def _is_same(one: JsonValue, other: JsonValue) -> bool:
    """Whether two values are one in JSON; Python takes 1, 1.0 and true for the same."""
    return repr(one) == repr(other)
