"""The kinds of stage, by the name that `uses:` gives."""

from collections.abc import Mapping

from activities.stages.docker import DOCKER, docker_kind
from activities.stages.fail import FAIL
from activities.stages.http import HTTP
from activities.stages.kind import Kind
from activities.stages.postgres import POSTGRES
from activities.stages.set import SET
from activities.stages.slack import SLACK
from cronny.settings import Settings

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (DOCKER, FAIL, HTTP, POSTGRES, SET, SLACK)}


def equipped(kinds: Mapping[str, Kind], settings: Settings) -> Mapping[str, Kind]:
    """The kinds, with what an installation has for them."""
    own = {DOCKER.name: docker_kind(settings.docker)}
    return {name: own.get(name, kind) for name, kind in kinds.items()}
