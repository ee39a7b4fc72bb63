"""TLS as a connection asks for it: whom to trust, what to show to the server, which versions to speak."""

import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from secrets import token_bytes
from tempfile import TemporaryDirectory
from typing import Literal, TypeAlias

import httpx
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from pydantic import SecretStr

from activities.stages.kind import StageError
from cronny.egress import public_authorities

Verified: TypeAlias = Literal["all", "chain", "nothing"]  # `chain` leaves the name out
MINIMUM = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True)
class Tls:
    """What a connection asks of TLS; a certificate of its own comes with its key."""

    authority: str | None = None
    certificate: str | None = None
    key: SecretStr | None = None
    key_password: SecretStr | None = None
    minimum: str = "1.2"
    verified: Verified = "all"

    def elsewhere(self) -> "Tls":
        """For servers that the connection is not for: nothing is shown to them."""
        return Tls(authority=self.authority, minimum=self.minimum)


@lru_cache(maxsize=64)  # Reading certificates takes milliseconds.
def tls_context(tls: Tls, *, is_public: bool = False) -> ssl.SSLContext:
    """TLS as it was asked for; with `is_public`, public authorities count besides that of the connection.

    Without an authority they are the ones that count. Raises StageError for what cannot be read.
    """
    if tls == Tls():
        return public_authorities()
    context = _unverified() if tls.verified == "nothing" else _trusting(tls.authority, is_public=is_public)
    context.check_hostname = tls.verified == "all"
    context.minimum_version = MINIMUM[tls.minimum]
    if tls.certificate is not None and tls.key is not None:
        _show(context, tls.certificate, tls.key, tls.key_password)
    return context


def _trusting(authority: str | None, *, is_public: bool) -> ssl.SSLContext:
    try:
        if authority is not None and not is_public:
            return ssl.create_default_context(cadata=authority)
        # Not public_authorities(), which everybody shares: this context will be changed.
        context = httpx.create_ssl_context(trust_env=False)
        if authority is not None:
            context.load_verify_locations(cadata=authority)
    except (ssl.SSLError, TypeError) as error:  # TypeError: it has characters beyond ASCII.
        raise _refusal("ca_certificate is not a certificate in PEM") from error
    return context


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _show(context: ssl.SSLContext, certificate: str, key: SecretStr, password: SecretStr | None) -> None:
    secret = token_bytes(32).hex().encode()
    sealed = _sealed(key, password, secret)
    # OpenSSL reads chains from files only: what lies there for a moment opens with what is in memory only.
    with TemporaryDirectory(prefix="cronny-tls-") as folder:
        path = Path(folder) / "client.pem"
        path.touch(mode=0o600)
        path.write_bytes(certificate.encode() + b"\n" + sealed)
        try:
            context.load_cert_chain(path, password=secret)
        except ssl.SSLError as error:
            raise _refusal(
                "client_certificate is not a certificate in PEM that belongs to client_key"
            ) from error


def _sealed(key: SecretStr, password: SecretStr | None, secret: bytes) -> bytes:
    given = password.get_secret_value().encode() if password else None
    try:
        private = serialization.load_pem_private_key(key.get_secret_value().encode(), given)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # Their texts could quote it.
        raise _refusal("client_key is not a private key in PEM, or its password is another one") from None
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(secret),
    )


def _refusal(message: str) -> StageError:
    return StageError("validation", message, retryable=False)
