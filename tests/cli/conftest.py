"""One instance for the tests of the client commands."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cronny.cli.main import run
from tests.cli.command import Ran
from tests.cli.running import Place, Up, running


@dataclass(frozen=True)
class Instance:
    """A running instance: where it is, and its process."""

    place: Place
    up: Up


@pytest.fixture(scope="session")
def running_instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A `cronny up` with the demo, once it answers; shared by the session."""
    place = Place(tmp_path_factory.mktemp("instance"))
    with running(place) as up:
        yield Instance(place, up)


@pytest.fixture
def instance(running_instance: Instance) -> Place:
    """Where the shared instance is."""
    return running_instance.place


@pytest.fixture
def ask(
    instance: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ran]:
    """Runs a client command against the shared instance, within this process."""
    monkeypatch.setenv("CRONNY_DATA_DIR", str(instance.folder))

    def ask(*arguments: str | Path) -> Ran:
        code = run([str(one) for one in arguments])
        return Ran(code, *capsys.readouterr())

    return ask
