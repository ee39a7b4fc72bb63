"""The JSON Schema of actions."""

from activities.schema import schema_text
from activities.stages.catalogue import KINDS


def action_schema_page() -> str:
    """`docs/schemas/action.v1.json`."""
    return schema_text(KINDS)
