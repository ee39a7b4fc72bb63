"""The JSON Schema of the language with the kinds that there are."""

import json
from collections.abc import Mapping
from typing import Any

from activities.stages.kind import Kind
from dsl.schema import action_schema


def language_schema(kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """The JSON Schema of actions whose stages are of these kinds."""
    return action_schema(kinds, {name: kind.summary for name, kind in kinds.items()})


def schema_text(kinds: Mapping[str, Kind]) -> str:
    """The same as it stands in a file."""
    return json.dumps(language_schema(kinds), indent=2, ensure_ascii=False) + "\n"
