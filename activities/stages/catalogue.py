"""The kinds of stage, by the name that `uses:` gives."""

from collections.abc import Mapping

from activities.stages.action import ACTION
from activities.stages.approval import APPROVAL
from activities.stages.code import CODE
from activities.stages.docker import DOCKER, docker_kind
from activities.stages.fail import FAIL
from activities.stages.http import HTTP
from activities.stages.kind import Kind
from activities.stages.mysql import MYSQL
from activities.stages.pagerduty import PAGERDUTY
from activities.stages.postgres import POSTGRES
from activities.stages.redis import REDIS
from activities.stages.s3 import S3
from activities.stages.set import SET
from activities.stages.slack import SLACK
from activities.stages.wait import WAIT
from cronny.settings import Settings

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        ACTION,
        APPROVAL,
        CODE,
        DOCKER,
        FAIL,
        HTTP,
        MYSQL,
        PAGERDUTY,
        POSTGRES,
        REDIS,
        S3,
        SET,
        SLACK,
        WAIT,
    )
}


def equipped(kinds: Mapping[str, Kind], settings: Settings) -> Mapping[str, Kind]:
    """The kinds, with what an installation has for them."""
    own = {DOCKER.name: docker_kind(settings.docker)}
    return {name: own.get(name, kind) for name, kind in kinds.items()}
