"""What goes wrong on the way to PostgreSQL and there, as errors of a stage."""

import re
import socket
import ssl
from collections.abc import Iterable

import asyncpg
from pydantic import JsonValue

from activities.stages.kind import StageError
from cronny.errors import EgressDenied

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


def no_connection(error: Exception, host: str) -> StageError:
    """The failure to reach the server."""
    match error:
        case EgressDenied():
            code, what, is_retryable = "egress_denied", str(error), False
        case ssl.SSLCertVerificationError():
            code, what, is_retryable = "tls", f"{host}: {error.verify_message}", False
        case ssl.SSLError():
            code, what, is_retryable = "tls", f"{host}: {error.reason or 'TLS failed'}", True
        case socket.gaierror():
            code, what, is_retryable = "dns", f"{host}: the name has no address", True
        case TimeoutError():
            code, what, is_retryable = "timeout", f"{host} did not answer in time", True
        # The system's own errors have classes below this one; itself it is what the driver raises, also when
        # the server hangs up instead of answering.
        case ConnectionError() if type(error) is ConnectionError:
            code, what, is_retryable = "tls", f"{host} offers no TLS; `tls: disable` goes without", True
        case _:
            code, what, is_retryable = "connection", f"{host}: {error}", True
    return StageError(code, what, retryable=is_retryable)


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


def invalid(message: str) -> StageError:
    """What was given does not fit; another attempt changes nothing."""
    return StageError("validation", message, retryable=False)
