"""Secrets at rest: AES-256-GCM under a ring of keys, bound to what they belong to; and API keys.

ring = KeyRing(new_key())
sealed = ring.seal(b"hunter2", "ten_1/connection/con_7")
ring.open(sealed, "ten_1/connection/con_7")  # b"hunter2"; any other context: Unsealable
"""

import hmac
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from secrets import token_hex, token_urlsafe

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cronny.errors import CronnyError, SettingsError

KEY_BYTES = 32
NONCE_BYTES = 12  # what GCM is made for; random ones are safe for 2**32 seals under one key.
API_KEY_PREFIX = "cny_"

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


class Unsealable(CronnyError):
    """The secret cannot be opened: it was sealed under another key, for another owner, or was changed."""


class KeyRing:
    """The sealing keys of an installation: `id:base64,…`, the newest first, which seals; all of them open."""

    def __init__(self, text: str, reread: Callable[[], str] | None = None) -> None:
        """`reread` gives the text as it is by now: keys that are added while a process runs are found."""
        self._reread = reread
        self._read(text)

    def _read(self, text: str) -> None:
        pairs = [_pair(part.strip()) for part in text.split(",") if part.strip()]
        if not pairs or len(dict(pairs)) != len(pairs):
            raise SettingsError("secret keys: give at least one `id:base64`, each id once")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in pairs}
        # What signs must not be what seals.
        self._signers = {key_id: hmac.digest(key, b"cronny signing", sha256) for key_id, key in pairs}
        self.newest = pairs[0][0]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the keys, the newest first."""
        return tuple(self._ciphers)

    def seal(self, plaintext: bytes, context: str) -> str:
        """The plaintext as `key id.base64`, which opens only with the same context."""
        self._refresh()
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self.newest].encrypt(nonce, plaintext, _bound(self.newest, context))
        return f"{self.newest}.{urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, text: str, context: str) -> bytes:
        """The plaintext; raises `Unsealable`."""
        key_id, _, encoded = text.partition(".")
        cipher = self._ciphers[key_id] if self.has(key_id) else None
        if cipher is None:
            raise Unsealable(f"the secret was sealed under the key '{key_id[:32]}', which is not in the ring")
        try:
            data = urlsafe_b64decode(encoded)
            return cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], _bound(key_id, context))
        except (InvalidTag, ValueError) as error:
            raise Unsealable from error

    def has(self, key_id: str) -> bool:
        """Whether the key of that id is in the ring."""
        if key_id not in self._ciphers:
            self._refresh()
        return key_id in self._ciphers

    def _refresh(self) -> None:
        if self._reread is not None:
            with suppress(SettingsError):  # What cannot be read at this moment is replaced at this moment.
                self._read(self._reread())

    def sign(self, message: str, key_id: str | None = None) -> str:
        """`key id.signature` of a message, by the newest key unless another is named; raises `Unsealable`."""
        name = key_id or self.newest
        if not self.has(name):
            raise Unsealable(f"the key '{name[:32]}' is not in the ring")
        mac = hmac.digest(self._signers[name], message.encode(), sha256)
        return f"{name}.{urlsafe_b64encode(mac).decode().rstrip('=')}"

    def is_signed(self, message: str, signature: str) -> bool:
        """Whether a key of the ring has signed the message."""
        try:
            expected = self.sign(message, signature.partition(".")[0] or None)
        except Unsealable:
            return False
        return hmac.compare_digest(expected.encode(), signature.encode(errors="replace"))

    def is_current(self, text: str) -> bool:
        """Whether the newest key sealed this text; if not, sealing it again completes a rotation."""
        return text.startswith(f"{self.newest}.")


def new_key() -> str:
    """A fresh `id:base64` for the front of a ring."""
    return f"k{token_hex(4)}:{urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()}"


def new_api_key() -> str:
    """A fresh API key of 256 random bits."""
    return API_KEY_PREFIX + token_urlsafe(KEY_BYTES)


def hash_key(api_key: str) -> str:
    """What is stored of an API key.

    It is not keyed from the ring: random keys cannot be guessed from it, and a rotation must not lock
    everyone out.
    """
    return hmac.new(b"cronny api key", api_key.encode(errors="replace"), sha256).hexdigest()


def _pair(text: str) -> tuple[str, bytes]:
    key_id, _, encoded = text.partition(":")
    try:
        # Both alphabets of base64 are read; keys are made by many tools.
        key = urlsafe_b64decode(encoded.replace("+", "-").replace("/", "_"))
    except ValueError:
        key = b""
    if not _KEY_ID.fullmatch(key_id) or len(key) != KEY_BYTES:
        raise SettingsError(
            f"secret keys: each is `id:base64` of {KEY_BYTES} bytes"
        )  # It must not be quoted.
    return key_id, key


def _bound(key_id: str, context: str) -> bytes:
    return f"{key_id}\0{context}".encode()
