"""The last check before a repository follows the ids of a row it was given."""

from cronny.errors import NotFound
from cronny.store.tables import ActionRow, ConnectionRow, ScheduleRow, Tenant, TriggerRow


def require_own(tenant: Tenant, *rows: ActionRow | ConnectionRow | ScheduleRow | TriggerRow | None) -> None:
    """Raise NotFound for a row of another tenant."""
    if any(row is not None and row.tenant_id != tenant.id for row in rows):
        raise NotFound
