"""row-level security on PostgreSQL."""

from alembic import op

from cronny.store.row_security import ADD, ALL, CHANGE, OWNER, READ, protect_all, through

revision = "row_security"
down_revision = "reruns"
branch_labels = None
depends_on = None

# What the API does on behalf of a tenant, and no more: nobody may rewrite an event or delete a trigger.
TABLES = {
    "action": (CHANGE,),
    "api_key": (ALL,),
    "backfill": (CHANGE,),
    "calendar": (ALL,),
    "connection": (ALL,),
    "event": (ADD,),
    "fire_change": (ALL,),
    "schedule": (CHANGE,),
    "secret": (ALL,),
    "trigger": (CHANGE,),
    "variable": (ALL,),
    "variable_value": (ALL,),
    "wait": (CHANGE,),
    "webhook": (ALL,),
    # A lock on the row needs the right to write one of its columns.
    "tenant": (f"{READ}, update (created_at)", f"id = {OWNER}"),
    "action_version": (ADD, through("action", "id", "action_id")),
    "stage_record": (CHANGE, through("trigger", "id", "trigger_id")),
    "item_record": (CHANGE, through("trigger", "id", "trigger_id")),
    "attempt_record": (ADD, through("trigger", "id", "trigger_id")),
    "live_log": (ALL, through("trigger", "id", "trigger_id")),
    "webhook_delivery": (ALL, through("webhook", "id", "webhook_id")),
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        protect_all(op.execute, TABLES)
