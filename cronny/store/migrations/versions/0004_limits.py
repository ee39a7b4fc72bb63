"""limits of tenants and actions."""

import sqlalchemy as sa
from alembic import op

revision = "limits"
down_revision = "items"
branch_labels = None
depends_on = None

LIMITS = ("running_triggers", "schedules", "actions", "minimum_interval", "input_bytes")
IS_OPEN = "state = 'executing' or reason in ('queued', 'concurrency', 'tenant_limit')"


def upgrade() -> None:
    for name in LIMITS:
        op.add_column("tenant", sa.Column(f"limit_{name}", sa.Integer(), nullable=True))
    op.add_column("action", sa.Column("priority", sa.Integer(), nullable=True))
    op.add_column("trigger", sa.Column("concurrency_limit", sa.Integer(), nullable=True))
    op.add_column("trigger", sa.Column("concurrency_key", sa.String(), nullable=True))
    op.add_column("trigger", sa.Column("is_postponed", sa.Boolean(), nullable=True))
    op.add_column("trigger", sa.Column("priority", sa.Integer(), nullable=True))
    op.drop_index("ix_trigger_open", table_name="trigger")
    _index("ix_trigger_open", ["schedule_id"], IS_OPEN)
    _index("ix_trigger_limited", ["tenant_id", "action_id"], f"is_guarded and ({IS_OPEN})")


def _index(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "trigger", columns, sqlite_where=where, postgresql_where=where)
