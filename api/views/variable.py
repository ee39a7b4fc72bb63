"""What the API shows of a variable."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field, JsonValue

from api.views.listing import View
from api.views.user import UserView
from cronny.store.tenant_tables import VariableRow


class VariableView(View):
    """A variable as a list shows it."""

    name: str = Field(description="Expressions call it `vars.<name>`.")
    value: JsonValue
    revision: int = Field(description="Counts the times its value was changed.")
    created: datetime
    updated: datetime


class VariableDetail(VariableView):
    """A variable and who uses it."""

    used_by: tuple[UserView, ...]


def view_variable(row: VariableRow) -> VariableView:
    """A variable as a list shows it."""
    return VariableView(
        name=row.name,
        value=row.value,
        revision=row.revision,
        created=row.created_at,
        updated=row.updated_at,
    )


def detail_variable(row: VariableRow, users: Sequence[UserView]) -> VariableDetail:
    """A variable as it is shown alone."""
    return VariableDetail(**view_variable(row).model_dump(), used_by=tuple(users))
