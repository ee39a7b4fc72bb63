"""Actions as they were stored, maybe by another version of Cronny."""

from collections.abc import Iterable

from pydantic import JsonValue, ValidationError

from cronny.errors import Conflict
from cronny.store.tables import ActionVersion
from dsl.action import HANDLERS, Action
from dsl.document import child_of


def read_stored(version: ActionVersion) -> Action:
    """The action of a stored version; raises Conflict when this Cronny cannot read it any more."""
    try:
        return Action.model_validate(version.model)
    except ValidationError:
        raise Conflict("this version of Cronny cannot read the stored action; upload it again") from None


def users_of(connection: str, versions: Iterable[ActionVersion]) -> list[str]:
    """The names of the actions with a stage that uses a connection."""
    return [name for version in versions if (name := _user(version.model, connection))]


def _user(model: JsonValue, connection: str) -> str:
    if not isinstance(model, dict):
        return ""
    lists = [model.get(name) for name in ("stages", *HANDLERS)]
    stages = [stage for found in lists if isinstance(found, list) for stage in found]
    parts = [part for stage in stages for part in (stage, child_of(stage, "undo"))]
    return str(model.get("name")) if any(child_of(part, "connection") == connection for part in parts) else ""
