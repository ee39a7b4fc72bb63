"""Records of the items of a stage with foreach, and of failed attempts."""

import sqlalchemy as sa
from alembic import op

from cronny.store.columns import Instant

revision = "items"
down_revision = "waits"
branch_labels = None
depends_on = None

STATES = ("waiting", "started", "completed", "failed", "skipped")


def upgrade() -> None:
    op.create_table(
        "item_record",
        sa.Column("trigger_id", sa.String(), nullable=False),
        sa.Column("stage_id", sa.String(), nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Enum(*STATES, name="itemstate", native_enum=False, length=16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("value", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("input", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("output", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("log", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("trigger_id", "stage_id", "item"),
    )
    op.create_table(
        "attempt_record",
        sa.Column("trigger_id", sa.String(), nullable=False),
        sa.Column("stage_id", sa.String(), nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("failed_at", Instant(), nullable=False),
        sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("log", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("trigger_id", "stage_id", "item", "attempt"),
    )


def downgrade() -> None:
    op.drop_table("attempt_record")
    op.drop_table("item_record")
