"""The file in which `cronny up` leaves the API's URL and a key for the client commands."""

import json
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from cronny.settings import Settings


class Known(BaseModel):
    """Where the API is, and a key for it."""

    model_config = ConfigDict(frozen=True)

    url: str
    key: str | None = None


def read_known(settings: Settings) -> Known | None:
    """What an earlier `cronny up` left, if it can be read."""
    try:
        return Known.model_validate_json(settings.client_file.read_bytes())
    except (OSError, ValidationError):
        return None


def known_key(settings: Settings) -> str | None:
    """The API key that an earlier `cronny up` left."""
    known = read_known(settings)
    return known.key if known else None


def leave_for_client(settings: Settings, key: str | None) -> None:
    """Writes where the API is, and a key for it, so that the CLI needs no flags."""
    content = {"url": settings.api_url} | ({"key": key} if key else {})
    write_private(settings.client_file, json.dumps(content, indent=2) + "\n")


def write_private(file: Path, text: str) -> None:
    """Replaces the file at once and for good, readable by its owner only."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)
        output.flush()
        os.fsync(output.fileno())
    fresh.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # A key that seals must not be lost to a power cut.
    finally:
        os.close(folder)
