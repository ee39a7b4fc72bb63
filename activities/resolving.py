"""From the name of a connection to its model, with secrets that exist only here."""

from collections.abc import Sequence

from pydantic import BaseModel, JsonValue, ValidationError

from activities.masking import Masker
from activities.runtime import Parts
from activities.stages.kind import Kind, StageError
from cronny.errors import CronnyError, NotFound
from cronny.store.connections import Connections
from cronny.vault import unseal
from dsl.action import Stage
from dsl.shapes import mistakes_of


async def resolve_connection(
    parts: Parts, tenant_id: str, kind: Kind, stage: Stage, also: Sequence[str] = ()
) -> tuple[BaseModel | None, Masker]:
    """The stage's connection and a masker for its secrets, and for others; raises StageError."""
    if stage.connection is None or kind.connection_model is None:
        return None, Masker(also)
    try:
        async with parts.database.read() as session:
            row = await Connections(session, tenant_id).get(stage.connection)
        secrets = unseal(parts.keyring, row)
    except NotFound as error:
        raise StageError("connection", str(error), retryable=False) from None
    except CronnyError as error:
        raise StageError("internal", f"connection '{stage.connection}': {error}", retryable=False) from None
    settings = row.settings if isinstance(row.settings, dict) else {}
    model = _validated(stage.connection, kind.connection_model, {**settings, **secrets})
    return model, Masker([*_texts(secrets), *also])


def _validated(name: str, model: type[BaseModel], values: dict[str, JsonValue]) -> BaseModel:
    """The connection; one that was saved before its kind had become stricter says what to change."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        what = mistakes_of(model, values, error, (f"connection '{name}'",))
        raise StageError("validation", f"{what}; save it again", retryable=False) from None


def _texts(value: JsonValue) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for item in value.values() for text in _texts(item)]
        case list():
            return [text for item in value for text in _texts(item)]
        case _:
            return []
