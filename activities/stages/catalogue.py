"""The kinds of stage, by the name that `uses:` gives."""

import json
from collections.abc import Mapping
from typing import Any

from activities.stages.code import CODE
from activities.stages.fail import FAIL
from activities.stages.http import HTTP
from activities.stages.kind import Kind
from activities.stages.pagerduty import PAGERDUTY
from activities.stages.postgres import POSTGRES
from activities.stages.set import SET
from activities.stages.slack import SLACK
from dsl.schema import action_schema

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (CODE, FAIL, HTTP, PAGERDUTY, POSTGRES, SET, SLACK)}


def language_schema(kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """The JSON Schema of actions whose stages are of these kinds."""
    return action_schema(kinds, {name: kind.summary for name, kind in kinds.items()})


def schema_text(kinds: Mapping[str, Kind]) -> str:
    """The same as it stands in a file."""
    return json.dumps(language_schema(kinds), indent=2, ensure_ascii=False) + "\n"
