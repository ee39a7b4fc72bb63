"""what running stages have logged."""

import sqlalchemy as sa
from alembic import op

from cronny.store.columns import Instant

revision = "live"
down_revision = "conns"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "live_log",
        sa.Column("trigger_id", sa.String(), nullable=False),
        sa.Column("stage_id", sa.String(), nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("began", Instant(), nullable=False),
        sa.Column("first", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lines", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("written_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("trigger_id", "stage_id", "item", "began", "first"),
    )


def downgrade() -> None:
    op.drop_table("live_log")
