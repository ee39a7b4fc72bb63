"""From the names that a stage uses to what they stand for: variables, secrets and connections.

What is secret exists in the clear only here and in the stage.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel, JsonValue, ValidationError

from activities.action_cache import LoadedAction
from activities.masking import Masker
from activities.runtime import Parts
from activities.stages.kind import Kind, StageError
from cronny.errors import CronnyError, NotFound
from cronny.store.connections import Connections
from cronny.store.secrets import Secrets
from cronny.store.tables import ConnectionRow, TriggerRow
from cronny.store.uses import Use
from cronny.store.variables import Variables
from cronny.vault import unseal, unseal_secret
from dsl.action import Stage
from dsl.outside import outside_types, secret_expressions
from dsl.references import references
from dsl.shapes import mistakes_of


@dataclass(frozen=True)
class Access:
    """What a stage may use, and everything in it that must not be seen."""

    connection: BaseModel | None = None
    secrets: Mapping[str, JsonValue] | None = None  #: By the names of expressions, `secrets.token`.
    hidden: tuple[str, ...] = ()
    uses: tuple[Use, ...] = ()

    @property
    def masker(self) -> Masker:
        """What blots it out."""
        return Masker(self.hidden)


async def read_variables(parts: Parts, trigger: TriggerRow, names: Collection[str]) -> dict[str, JsonValue]:
    """The values of those of these variables that exist, by the names of expressions, `vars.region`.

    They are those of the trigger's start, so that all its stages see the same; before it, those of now.
    """
    if not names:
        return {}
    async with parts.database.for_tenant(trigger.tenant_id).read() as session:
        values = await Variables(session, trigger.tenant_id).values(names, trigger.started_at)
    return {f"vars.{name}": value for name, value in values.items()}


async def open_for(
    parts: Parts, tenant_id: str, kind: Kind, stage: Stage, loaded: LoadedAction, also: Sequence[str] = ()
) -> Access:
    """The stage's connection and the action's secrets, and what `also` is to be hidden; raises StageError.

    Secrets of other stages are hidden, too: a server may tell one stage what another has sent it.
    """
    connected = await _open_connection(parts, tenant_id, kind, stage)
    connected = replace(connected, hidden=(*connected.hidden, *also))
    if not loaded.outside.secrets:
        return connected
    async with parts.database.for_tenant(tenant_id).read() as session:
        rows = await Secrets(session, tenant_id).named(loaded.outside.secrets)
    try:
        values = {f"secrets.{name}": unseal_secret(parts.keyring, row) for name, row in rows.items()}
    except CronnyError as error:
        raise StageError("internal", f"a secret of the action: {error}", retryable=False) from None
    used = {name for text in secret_expressions(stage.with_) for name in outside_types(references(text))}
    uses = [Use("secret", row.id) for name, row in rows.items() if f"secrets.{name}" in used]
    return Access(
        connection=connected.connection,
        secrets=dict(values),
        hidden=(*connected.hidden, *values.values()),
        uses=(*connected.uses, *uses),
    )


def open_connection(parts: Parts, model: type[BaseModel], row: ConnectionRow) -> Access:
    """A connection as its kind's model; raises StageError."""
    try:
        secrets = unseal(parts.keyring, row)
    except CronnyError as error:
        raise StageError("internal", f"connection '{row.name}': {error}", retryable=False) from None
    settings = row.settings if isinstance(row.settings, dict) else {}
    values = {**settings, **secrets}
    try:
        connection = model.model_validate(values)
    except ValidationError as error:  # It was saved before its kind had become stricter.
        what = mistakes_of(model, values, error, (f"connection '{row.name}'",))
        message = Masker(texts_of(secrets)).text(f"{what}; save it again")
        raise StageError("validation", message, retryable=False) from None
    return Access(
        connection=connection,
        hidden=tuple(texts_of(secrets)),
        uses=(Use("connection", row.id),),
    )


def texts_of(value: JsonValue) -> list[str]:
    """Every text and number inside a value."""
    match value:
        case dict():
            return [text for item in value.values() for text in texts_of(item)]
        case list():
            return [text for item in value for text in texts_of(item)]
        case None | bool():
            return []
    return [str(value)]


async def _open_connection(parts: Parts, tenant_id: str, kind: Kind, stage: Stage) -> Access:
    if stage.connection is None or kind.connection_model is None:
        return Access()
    try:
        async with parts.database.for_tenant(tenant_id).read() as session:
            row = await Connections(session, tenant_id).get(stage.connection)
    except NotFound as error:
        raise StageError("connection", str(error), retryable=False) from None
    return open_connection(parts, kind.connection_model, row)
