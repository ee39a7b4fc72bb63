"""what variables were when triggers started."""

import sqlalchemy as sa
from alembic import op

from cronny.store.columns import Instant

revision = "conns"
down_revision = "objects"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "variable_value",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("value", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
        sa.PrimaryKeyConstraint("tenant_id", "name", "at"),
    )
    # Triggers that execute meanwhile go on with the values that they would have seen.
    op.execute(
        "insert into variable_value (tenant_id, name, at, value) "
        "select tenant_id, name, created_at, value from variable"
    )


def downgrade() -> None:
    op.drop_table("variable_value")
