"""Actions as they were stored, maybe by another version of Cronny."""

from collections.abc import Iterable

from pydantic import JsonValue, ValidationError

from cronny.errors import Conflict
from cronny.store.tables import ActionVersion
from dsl.action import Action


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
    match model:
        case {"name": str(name), "stages": list(stages)}:
            used = [stage.get("connection") for stage in stages if isinstance(stage, dict)]
            return name if connection in used else ""
    return ""
