"""values that are too large for the database."""

import sqlalchemy as sa
from alembic import op

revision = "blobs"
down_revision = "reruns"
branch_labels = None
depends_on = None

IS_GARBAGE = sa.text("dropped_at is not null")


def upgrade() -> None:
    op.create_table(
        "blob",
        sa.Column("trigger_id", sa.String(), primary_key=True),
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("dropped_at", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_blob_id", "blob", ["id"])
    op.create_index("ix_blob_tenant", "blob", ["tenant_id"])
    op.create_index(
        "ix_blob_garbage", "blob", ["dropped_at"], sqlite_where=IS_GARBAGE, postgresql_where=IS_GARBAGE
    )
    for table in ("trigger", "stage_record", "item_record"):
        op.add_column(table, sa.Column("large", sa.JSON(), nullable=True))
    op.add_column("tenant", sa.Column("limit_output_bytes", sa.Integer(), nullable=True))
    op.add_column("tenant", sa.Column("limit_kept_bytes", sa.BigInteger(), nullable=True))
