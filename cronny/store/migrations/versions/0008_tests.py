"""tests of actions."""

import sqlalchemy as sa
from alembic import op

revision = "tests"
down_revision = "live"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("trigger", sa.Column("is_test", sa.Boolean(), nullable=True))
    op.add_column("trigger", sa.Column("test", sa.JSON(none_as_null=True), nullable=True))
