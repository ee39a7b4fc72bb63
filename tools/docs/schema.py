"""The JSON Schema of actions."""

from activities.stages.catalogue import KINDS, schema_text


def action_schema_page() -> str:
    """`docs/schemas/action.v1.json`."""
    return schema_text(KINDS)
