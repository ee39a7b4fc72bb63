"""What goes wrong on the way to PostgreSQL and there, as errors of a stage."""

import re
from collections.abc import Iterable

import asyncpg
from pydantic import JsonValue

from activities.stages.kind import StageError
from activities.stages.sql import invalid

RETRYABLE = {"08", "40", "53", "57", "58"}  # classes: connection, rollback, resources, operator, system.

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=SQL)(?=[A-Z])")
_NAMES = {
    "InternalServer": "internal_error",
    "Raise": "raise_exception",
    "Serialization": "serialization_failure",
    "PostgresSyntax": "syntax_error",
    "UnknownPostgres": "unknown",
}


def failure(error: Exception) -> StageError:
    """The failure of a statement."""
    match error:
        case asyncpg.QueryCanceledError():
            return StageError("timeout", f"the statement was stopped: {error}", retryable=True)
        case asyncpg.InvalidAuthorizationSpecificationError():
            return StageError("auth", str(error), retryable=False, details={"sqlstate": error.sqlstate})
        case asyncpg.PostgresConnectionError() | asyncpg.CannotConnectNowError():
            return StageError("connection", str(error), retryable=True)
        case asyncpg.UnsupportedClientFeatureError():
            return invalid(str(error))
        case asyncpg.PostgresError():
            return _refused(error)
    return StageError("connection", str(error), retryable=True)


def _refused(error: asyncpg.PostgresError) -> StageError:
    if type(error) is asyncpg.DataError:  # The driver's own: a value does not fit its parameter.
        return invalid(str(error))
    places = _places(error, ("detail", "hint", "table_name", "column_name", "constraint_name"))
    is_passing = str(error.sqlstate)[:2] in RETRYABLE or isinstance(error, asyncpg.LockNotAvailableError)
    details: dict[str, JsonValue] = {"sqlstate": error.sqlstate, **places}
    return StageError(f"sql.{_name(error)}", str(error), retryable=is_passing, details=details)


def _name(error: asyncpg.PostgresError) -> str:
    """PostgreSQL's name of the condition, as far as the driver's class tells."""
    name = type(error).__name__.removesuffix("Error")
    return _NAMES.get(name) or _WORD.sub("_", name).lower()


def _places(error: asyncpg.PostgresError, names: Iterable[str]) -> dict[str, JsonValue]:
    return {name: getattr(error, name) for name in names if getattr(error, name, None)}
