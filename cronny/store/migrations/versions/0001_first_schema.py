"""first schema."""

import sqlalchemy as sa
from alembic import op

from cronny.store.columns import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "stage_record",
        sa.Column("trigger_id", sa.String(), nullable=False),
        sa.Column("stage_id", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "started", "completed", "failed", "skipped", name="stagestate", native_enum=False, length=16
            ),
            nullable=False,
        ),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("input", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("output", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("fired", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("log", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("trigger_id", "stage_id"),
    )
    op.create_table(
        "tenant",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("pool", sa.String(), nullable=False),
        sa.Column("retention_days", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("slug"),
    )
    with op.batch_alter_table("tenant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tenant_pool"), ["pool"], unique=False)

    op.create_table(
        "trigger",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("action_id", sa.String(), nullable=False),
        sa.Column("action_version", sa.Integer(), nullable=False),
        sa.Column("schedule_id", sa.String(), nullable=True),
        sa.Column("due", Instant(), nullable=False),
        sa.Column("planned", Instant(), nullable=False),
        sa.Column("backfill_id", sa.String(), nullable=False),
        sa.Column("until", Instant(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "scheduled",
                "executing",
                "completed",
                "failed",
                "cancelled",
                "skipped",
                "missed",
                name="triggerstate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("is_guarded", sa.Boolean(), nullable=False),
        sa.Column("overlap", sa.String(), nullable=False),
        sa.Column("start_by", Instant(), nullable=True),
        sa.Column("complete_on", sa.String(), nullable=False),
        sa.Column("workflow_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("inputs", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("outputs", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("allocated_at", Instant(), nullable=False),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("trigger", schema=None) as batch_op:
        batch_op.create_index(
            "ix_trigger_backfill",
            ["planned"],
            unique=False,
            sqlite_where=sa.text("backfill_id <> '' and state = 'scheduled'"),
            postgresql_where=sa.text("backfill_id <> '' and state = 'scheduled'"),
        )
        batch_op.create_index("ix_trigger_fire", ["schedule_id", "due", "backfill_id"], unique=True)
        batch_op.create_index(
            "ix_trigger_open",
            ["schedule_id"],
            unique=False,
            sqlite_where=sa.text("state = 'executing' or reason = 'queued'"),
            postgresql_where=sa.text("state = 'executing' or reason = 'queued'"),
        )
        batch_op.create_index("ix_trigger_action_due", ["action_id", "due", "id"], unique=False)
        batch_op.create_index(
            "ix_trigger_by_hand",
            ["tenant_id", "generation", "due", "id"],
            unique=False,
            sqlite_where=sa.text("generation = 0"),
            postgresql_where=sa.text("generation = 0"),
        )
        batch_op.create_index(
            "ix_trigger_rare",
            ["tenant_id", "state", "due", "id"],
            unique=False,
            sqlite_where=sa.text("state in ('failed', 'cancelled', 'skipped', 'missed')"),
            postgresql_where=sa.text("state in ('failed', 'cancelled', 'skipped', 'missed')"),
        )
        batch_op.create_index(
            "ix_trigger_reason",
            ["tenant_id", "reason", "due", "id"],
            unique=False,
            sqlite_where=sa.text("reason <> ''"),
            postgresql_where=sa.text("reason <> ''"),
        )
        batch_op.create_index(
            "ix_trigger_schedule_rare",
            ["schedule_id", "state", "due", "id"],
            unique=False,
            sqlite_where=sa.text("state in ('failed', 'cancelled', 'skipped', 'missed')"),
            postgresql_where=sa.text("state in ('failed', 'cancelled', 'skipped', 'missed')"),
        )
        batch_op.create_index("ix_trigger_state_due", ["state", "due"], unique=False)
        batch_op.create_index("ix_trigger_tenant_due", ["tenant_id", "due", "id"], unique=False)

    op.create_table(
        "fire_change",
        sa.Column("schedule_id", sa.String(), nullable=False),
        sa.Column("due", Instant(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("skip", "move", "inputs", name="changekind", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("moved_to", Instant(), nullable=True),
        sa.Column("inputs", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("schedule_id", "due", "kind"),
    )
    with op.batch_alter_table("fire_change", schema=None) as batch_op:
        batch_op.create_index(
            "ix_fire_change_pending",
            ["moved_to"],
            unique=False,
            sqlite_where=sa.text("settled_at is null"),
            postgresql_where=sa.text("settled_at is null"),
        )

    op.create_table(
        "backfill",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("schedule_id", sa.String(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("overlap", sa.String(), nullable=False),
        sa.Column("inputs", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("cancelled_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("backfill", schema=None) as batch_op:
        batch_op.create_index("ix_backfill_schedule", ["schedule_id", "created_at", "id"], unique=False)

    op.create_table(
        "event",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("action_id", sa.String(), nullable=True),
        sa.Column("schedule_id", sa.String(), nullable=True),
        sa.Column("trigger_id", sa.String(), nullable=True),
        sa.Column("details", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_schedule", ["schedule_id", "at", "id"], unique=False)
        batch_op.create_index("ix_event_tenant", ["tenant_id", "at", "id"], unique=False)
        batch_op.create_index("ix_event_trigger", ["trigger_id"], unique=False)

    op.create_table(
        "action",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tenant_id", "name"),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_key_tenant_id"), ["tenant_id"], unique=False)

    op.create_table(
        "calendar",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("model", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tenant_id", "name"),
    )
    op.create_table(
        "connection",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("settings", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tenant_id", "name"),
    )
    op.create_table(
        "action_version",
        sa.Column("action_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("model", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"]),
        sa.PrimaryKeyConstraint("action_id", "version"),
    )
    op.create_table(
        "schedule",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("action_id", sa.String(), nullable=False),
        sa.Column("is_embedded", sa.Boolean(), nullable=False),
        sa.Column("source", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("inputs", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("calendars", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("observed_generation", sa.Integer(), nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("paused_until", Instant(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("anchor", Instant(), nullable=False),
        sa.Column("cursor", Instant(), nullable=False),
        sa.Column("skip_until", Instant(), nullable=True),
        sa.Column("next_due", Instant(), nullable=True),
        sa.Column("wake_at", Instant(), nullable=True),
        sa.Column("last_due", Instant(), nullable=True),
        sa.Column("fires", sa.Integer(), nullable=False),
        sa.Column("has_changes", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("deleted_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"]),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tenant_id", "name"),
    )
    with op.batch_alter_table("schedule", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_schedule_action_id"), ["action_id"], unique=False)
        batch_op.create_index("ix_schedule_next_due", ["next_due"], unique=False)


def downgrade() -> None:
    op.drop_table("lease")
    op.drop_table("event")
    op.drop_table("backfill")
    op.drop_table("fire_change")
    with op.batch_alter_table("schedule", schema=None) as batch_op:
        batch_op.drop_index("ix_schedule_next_due")
        batch_op.drop_index(batch_op.f("ix_schedule_action_id"))

    op.drop_table("schedule")
    op.drop_table("action_version")
    op.drop_table("connection")
    op.drop_table("calendar")
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_key_tenant_id"))

    op.drop_table("api_key")
    op.drop_table("action")
    with op.batch_alter_table("trigger", schema=None) as batch_op:
        batch_op.drop_index("ix_trigger_tenant_due")
        batch_op.drop_index("ix_trigger_action_due")
        batch_op.drop_index("ix_trigger_by_hand")
        batch_op.drop_index("ix_trigger_rare")
        batch_op.drop_index("ix_trigger_reason")
        batch_op.drop_index("ix_trigger_schedule_rare")
        batch_op.drop_index("ix_trigger_state_due")
        batch_op.drop_index("ix_trigger_open")
        batch_op.drop_index("ix_trigger_fire")
        batch_op.drop_index("ix_trigger_backfill")

    op.drop_table("trigger")
    with op.batch_alter_table("tenant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tenant_pool"))

    op.drop_table("tenant")
    op.drop_table("stage_record")
