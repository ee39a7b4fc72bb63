"""triggers that repeat a part of another one."""

import sqlalchemy as sa
from alembic import op

revision = "reruns"
down_revision = "tests"
branch_labels = None
depends_on = None

IS_RERUN = sa.text("rerun_of is not null")


def upgrade() -> None:
    op.add_column("trigger", sa.Column("rerun_of", sa.String(), nullable=True))
    op.add_column("stage_record", sa.Column("taken_over", sa.Boolean(), nullable=True))
    op.create_index(
        "ix_trigger_rerun", "trigger", ["rerun_of"], sqlite_where=IS_RERUN, postgresql_where=IS_RERUN
    )
