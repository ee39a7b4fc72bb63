"""variables and secrets, deleted actions, roles of API keys, tests of connections."""

import sqlalchemy as sa
from alembic import op

from cronny.store.columns import Instant

revision = "objects"
down_revision = "limits"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.create_table(
        "variable",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", JSON, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tenant_id", "name"),
    )
    op.create_table(
        "secret",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("last_used_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tenant_id", "name"),
    )
    # Keys that were made before there were roles could do everything, and still can.
    op.add_column("api_key", sa.Column("role", sa.String(), nullable=False, server_default="admin"))
    op.add_column("api_key", sa.Column("scopes", JSON, nullable=True))
    op.add_column("api_key", sa.Column("expires_at", Instant(), nullable=True))
    op.add_column("api_key", sa.Column("last_used_at", Instant(), nullable=True))
    op.add_column("action", sa.Column("deleted_at", Instant(), nullable=True))
    op.add_column("action_version", sa.Column("actor", sa.String(), nullable=False, server_default=""))
    op.add_column("action_version", sa.Column("restored", sa.Integer(), nullable=True))
    op.add_column("connection", sa.Column("last_used_at", Instant(), nullable=True))
    op.add_column("connection", sa.Column("checked", JSON, nullable=True))


def downgrade() -> None:
    for table, columns in (
        ("connection", ("checked", "last_used_at")),
        ("action_version", ("restored", "actor")),
        ("action", ("deleted_at",)),
        ("api_key", ("last_used_at", "expires_at", "scopes", "role")),
    ):
        with op.batch_alter_table(table) as batch_op:
            for column in columns:
                batch_op.drop_column(column)
    op.drop_table("secret")
    op.drop_table("variable")
