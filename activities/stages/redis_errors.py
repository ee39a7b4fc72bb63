"""What goes wrong on the way to Redis and there, as errors of a stage."""

import re
import socket
import ssl
from collections.abc import Mapping

from pydantic import JsonValue

from activities.stages.exchange import tls_failure
from activities.stages.kind import StageError
from activities.stages.redis_protocol import NotRedis, Refusal
from cronny.errors import EgressDenied

_AUTH = frozenset(("DENIED", "NOAUTH", "NOPERM", "WRONGPASS"))
# The state of the server, not of the command: later the same command may well succeed.
_PASSING = frozenset(
    (
        "BUSY",
        "CLUSTERDOWN",
        "LOADING",
        "MASTERDOWN",
        "MISCONF",
        "NOREPLICAS",
        "OOM",
        "READONLY",
        "TRYAGAIN",
        "UNKILLABLE",
    )
)
_CLUSTER = "clusters are not supported: connect to a proxy of it, or to a server that holds all keys"
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,39}", re.ASCII)
_HINTS: Mapping[str, str] = {
    "ASK": _CLUSTER,
    "CROSSSLOT": _CLUSTER,
    "MOVED": _CLUSTER,
    "NOAUTH": "give the connection a password",
    "READONLY": "this server is a replica; connect to the one it follows",
}


def refused(command: str, refusal: Refusal, details: Mapping[str, JsonValue]) -> StageError:
    """The failure of a command, under the server's own code; `ERR` says no more than that it is one."""
    word = refusal.code if _CODE.fullmatch(refusal.code) else "ERR"
    code = "auth" if word in _AUTH else f"redis.{word.lower()}"
    hint = _HINTS.get(refusal.code)
    message = f"{command}: {refusal.code} {refusal.text}" + (f"; {hint}" if hint else "")
    return StageError(
        code,
        message,
        retryable=refusal.code in _PASSING,
        details={"error": refusal.code, **details},
    )


def no_connection(error: Exception, host: str) -> StageError:
    """The failure to reach the server, or to keep the connection."""
    match error:
        case EgressDenied():
            code, what, is_retryable = "egress_denied", str(error), False
        case NotRedis():
            code, what, is_retryable = "connection", f"{host}: the answer broke off or is not Redis's", True
        case ssl.SSLError():
            return tls_failure(error, host)
        case socket.gaierror():
            code, what, is_retryable = "dns", f"{host}: the name has no address", True
        case TimeoutError():
            code, what, is_retryable = "timeout", f"{host} did not answer in time", True
        case _:
            code, what, is_retryable = "connection", f"{host}: {error}", True
    return StageError(code, what, retryable=is_retryable)
