"""The JSON Schema of actions."""

import json

from activities.stages.catalogue import KINDS, language_schema


def action_schema_page() -> str:
    """`docs/schemas/action.v1.json`."""
    return json.dumps(language_schema(KINDS), indent=2, ensure_ascii=False) + "\n"
