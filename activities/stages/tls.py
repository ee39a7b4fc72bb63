"""TLS as a connection asks for it: whom to trust, and what to show to the server."""

import ssl
from functools import lru_cache
from tempfile import NamedTemporaryFile
from typing import Literal, TypeAlias

from activities.stages.exchange import trusting
from activities.stages.kind import StageError
from cronny.egress import public_authorities

TrustedBy: TypeAlias = "str | Literal['nobody'] | None"


def tls_context(authority: TrustedBy, own: tuple[str, str] | None = None) -> ssl.SSLContext:
    """TLS that trusts an authority in PEM, the public ones (None), or any certificate (`nobody` vouches).

    `own` is a certificate and its key, for servers that ask for one. Such a context is not kept.
    """
    if own is None:
        return _shared(authority)
    context = _fresh(authority)
    # OpenSSL reads chains from files only; this one is for its owner alone, and gone at the end.
    with NamedTemporaryFile(mode="w", suffix=".pem") as file:
        file.write("\n".join(own))
        file.flush()
        try:
            context.load_cert_chain(file.name, password=_no_password)
        except (ssl.SSLError, ValueError) as error:  # Their text says nothing of use, and could say too much.
            message = "client_certificate and client_key are not a certificate and its plain key in PEM"
            raise StageError("validation", message, retryable=False) from error
    return context


def _shared(authority: TrustedBy) -> ssl.SSLContext:
    if authority is None:
        return public_authorities()
    return _trusting_any() if authority == "nobody" else trusting(authority)


def _fresh(authority: TrustedBy) -> ssl.SSLContext:
    if authority == "nobody":
        return _any()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    known = _shared(authority).get_ca_certs(binary_form=True)
    context.load_verify_locations(cadata=b"".join(known))
    return context


@lru_cache(maxsize=1)
def _trusting_any() -> ssl.SSLContext:
    return _any()


def _any() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _no_password() -> str:
    # Without it, OpenSSL would ask for the password of an encrypted key at the terminal.
    raise ValueError("the key is encrypted")
