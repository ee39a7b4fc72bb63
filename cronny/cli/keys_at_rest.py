"""`cronny secrets rotate`, `sealing-keys` and `drop-key`: the keys that seal, of this installation.

They need the database and the keys, and so run beside the processes of Cronny and not through the API.
"""

import asyncio
import fcntl
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from cronny.cli.client import read_settings
from cronny.cli.client_file import write_private
from cronny.cli.complaint import complain
from cronny.cli.exits import Exit
from cronny.cli.terminal import AsJson, print_json, print_table
from cronny.errors import Conflict, CronnyError, SettingsError
from cronny.keyring import open_ring, with_new_key, without_key
from cronny.rotation import Resealed, reseal_all
from cronny.secrets import KeyRing
from cronny.settings import Settings
from cronny.store.database import Database, Session
from cronny.store.failures import meaning_of
from cronny.store.sealed import count_by_key, count_links_by_key

Answer = TypeVar("Answer")
Count = Callable[[Session], Awaitable[Mapping[str, int]]]

DataDir = Annotated[Path | None, typer.Option(help="Folder of the databases and keys.")]


def rotate(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Make a new key that seals from now on, and seal every secret and connection again under it.

    Interrupted, it goes on where it was when it is called again. The old key stays until `drop-key`.
    """
    settings = _settings(data_dir)
    with _alone(settings):
        ring = open_ring(settings)
        is_complete = all(key_id == ring.newest for key_id in _counts(settings))
        if is_complete:
            if settings.secret_keys is not None:
                raise SettingsError(_by_hand(ring))
            text = settings.secret_key_text().get_secret_value()
            write_private(settings.key_file, f"{with_new_key(text)}\n")
            ring = open_ring(settings)
        found = _run(settings, lambda database: reseal_all(database, ring, _progress))
    if as_json:
        print_json({"key": ring.newest, "sealed": found.done, "unreadable": list(found.unreadable)})
    else:
        typer.echo(_summary(ring, found, is_new=is_complete))
    if found.unreadable:
        lost = ", ".join(found.unreadable)
        complain(f"{len(found.unreadable)} cannot be opened, their key is lost; set them again: {lost}")
        raise typer.Exit(Exit.FAILED)


def sealing_keys(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the keys that seal, by id, and how much each has sealed; the keys themselves are not shown."""
    settings = _settings(data_dir)
    ring, counts, links = open_ring(settings), _counts(settings), _counts(settings, count_links_by_key)
    ids = [*ring.ids, *sorted(counts.keys() - set(ring.ids))]
    rows = [(key_id, counts.get(key_id, 0), _state(key_id, ring, {*counts, *links})) for key_id in ids]
    if as_json:
        return print_json([{"id": one, "sealed": count, "state": state} for one, count, state in rows])
    return print_table(("key", "sealed", "state"), rows)


def drop_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the key.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Remove a key that has sealed nothing any more from the key file."""
    settings = _settings(data_dir)
    if settings.secret_keys is not None:
        raise SettingsError("the keys are in CRONNY_SECRET_KEYS; take it out there")
    with _alone(settings):
        rest = without_key(settings.secret_key_text().get_secret_value(), key_id)
        if count := _counts(settings).get(key_id, 0):
            hint = f"`cronny secrets rotate` seals {count} again"
            raise Conflict(f"the key '{key_id}' is in use; {hint}")
        if count := _counts(settings, count_links_by_key).get(key_id, 0):
            what = f"stages that wait have links signed by it: {count}"
            raise Conflict(f"the key '{key_id}' is in use: {what}; drop it when they have ended")
        write_private(settings.key_file, f"{rest}\n")
    if as_json:
        print_json({"id": key_id, "change": "deleted"})
    else:
        typer.echo(f"the key {key_id} is removed; a backup of the database from before needs it")


def _settings(data_dir: Path | None) -> Settings:
    return read_settings({"data_dir": data_dir} if data_dir else {})


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """One change of the keys at a time: of two that write the file at once, one would lose its key."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        lock = (settings.data_dir / "secret.key.lock").open("a+")
    except OSError as error:
        raise SettingsError(f"cannot write the folder {settings.data_dir}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict("the keys are being changed at this moment by another command") from error
        yield


def _counts(settings: Settings, ask: Count = count_by_key) -> Mapping[str, int]:
    async def count(database: Database) -> Mapping[str, int]:
        async with database.read() as session:
            return await ask(session)

    return _run(settings, count)


def _run(settings: Settings, ask: Callable[[Database], Awaitable[Answer]]) -> Answer:
    """What the database answers; raises what its failure means."""

    async def run() -> Answer:
        database = Database(settings.database_url)
        try:
            return await ask(database)
        finally:
            await database.close()

    try:
        return asyncio.run(run())
    except CronnyError:
        raise
    except Exception as error:
        meaning = meaning_of(error)
        if meaning is None:
            raise
        raise meaning from error


def _progress(done: int, total: int) -> None:
    if total and sys.stderr.isatty():
        typer.echo(f"\r{done} of {total}", nl=done >= total, err=True)


def _summary(ring: KeyRing, found: Resealed, *, is_new: bool) -> str:
    begun = f"the new key {ring.newest} seals" if is_new else f"the rotation to {ring.newest} goes on"
    old = ", ".join(key_id for key_id in ring.ids if key_id != ring.newest)
    rest = f"; `cronny secrets drop-key` removes what is not needed any more: {old}" if old else ""
    return f"{begun}; {found.done} sealed again{rest}"


def _state(key_id: str, ring: KeyRing, used: Set[str]) -> str:
    if key_id == ring.newest:
        return "seals"
    if not ring.has(key_id):
        return "lost: what it sealed must be set again"
    return "in use" if key_id in used else "can be dropped"


def _by_hand(ring: KeyRing) -> str:
    made = "python -c 'from cronny.secrets import new_key; print(new_key())'"
    return (
        f"everything is sealed under {ring.newest}, and only you can change CRONNY_SECRET_KEYS: "
        f"make a key ({made}), put it last there and restart every process, then put it first and restart "
        "them again, then call this once more"
    )
