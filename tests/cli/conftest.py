"""One instance for the tests of the client commands."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

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
