"""What connections of the kinds of SQL share: their fields, their TLS, and the way to the server."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, TypeVar

from pydantic import Field, SecretStr, model_validator

from activities.stages.kind import Block, StageError
from activities.stages.tls import Tls, Verified, tls_context
from cronny.egress import CONNECT_TIMEOUT, EgressPolicy
from cronny.errors import EgressDenied

NAME = r"^[^\x00]+$"  # A zero would end it on the wire, and begin something else.
OpenedT = TypeVar("OpenedT")
_VERIFIED: Mapping[str, Verified] = {"verify": "all", "verify_ca": "chain", "require": "nothing"}


class SqlConnection(Block):
    """A database of a server."""

    host: str = Field(description="The server's name or address.")
    port: int = Field(ge=1, le=65535, description="The server's port.")
    database: str = Field(pattern=NAME, description="The database's name.")
    user: str = Field(pattern=NAME, description="Whom to log in as.")
    password: SecretStr = Field(SecretStr(""), description="The user's password.")
    tls: Literal["verify", "verify_ca", "require", "disable"] = Field(
        "verify",
        description="`verify_ca` takes any name in the certificate, `require` any certificate; "
        "`disable` does not encrypt.",
    )
    server_name: str | None = Field(
        None, description="The name that the server's certificate must have, if not `host`."
    )
    ca_certificate: str | None = Field(
        None, description="The authority to trust, in PEM, if not a public one."
    )
    client_certificate: str | None = Field(
        None, description="The certificate to show to the server, in PEM, with those above it."
    )
    client_key: SecretStr | None = Field(None, description="The key of `client_certificate`, in PEM.")

    @model_validator(mode="after")
    def _fits_together(self) -> "SqlConnection":
        if (self.client_certificate is None) != (self.client_key is None):
            raise ValueError("client_certificate and client_key belong together")
        if self.client_key is not None and self.tls == "disable":
            raise ValueError("a client_certificate needs TLS; leave out tls: disable")
        return self

    @property
    def tls_name(self) -> str:
        """The name that TLS asks for, whatever address is connected to."""
        return self.server_name or self.host


async def each_address(
    settings: SqlConnection, policy: EgressPolicy, connect: Callable[[str], Awaitable[OpenedT]]
) -> OpenedT:
    """What the first address that answers gives; the addresses have been checked."""
    failures: list[OSError] = []
    for address in await policy.resolve(settings.host, settings.port):
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                return await connect(address)
        except OSError as failure:  # TimeoutError and the errors of TLS are among them.
            failures.append(failure)
    raise failures[-1]


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
        case _:
            code, what, is_retryable = "connection", f"{host}: {error or 'the connection broke'}", True
    return StageError(code, what, retryable=is_retryable)


def no_tls(host: str) -> StageError:
    """The error of a server that does not encrypt."""
    return StageError("tls", f"{host} offers no TLS; `tls: disable` goes without", retryable=True)


def context_of(settings: SqlConnection) -> ssl.SSLContext | None:
    """TLS as the connection asks for it; None when it asks for none."""
    if settings.tls == "disable":
        return None
    return tls_context(
        Tls(
            authority=settings.ca_certificate,
            certificate=settings.client_certificate,
            key=settings.client_key,
            verified=_VERIFIED[settings.tls],
        )
    )
