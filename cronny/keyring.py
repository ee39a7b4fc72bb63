"""The sealing keys of an installation: where they stand, and how they change."""

from cronny.errors import Conflict, SettingsError
from cronny.secrets import KeyRing, new_key
from cronny.settings import Settings


def open_ring(settings: Settings) -> KeyRing:
    """The keys of an installation; of a key file it follows the changes. Raises SettingsError."""

    def read() -> str:
        return settings.secret_key_text().get_secret_value()

    return KeyRing(read(), read if settings.secret_keys is None else None)


def with_new_key(text: str) -> str:
    """The text of a ring with a fresh key at its front, which from now on seals."""
    return f"{new_key()},{text.strip()}"


def without_key(text: str, key_id: str) -> str:
    """The text of a ring without a key; raises Conflict for the one that seals, SettingsError for none."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    kept = [part for part in parts if part.partition(":")[0] != key_id]
    if len(kept) == len(parts):
        raise SettingsError(f"there is no key '{key_id}' in the ring")
    if kept[:1] != parts[:1]:
        raise Conflict(
            f"the key '{key_id}' is the one that seals; `cronny secrets rotate` makes another first"
        )
    return ",".join(kept)
