"""The kinds of stage, by the name that `uses:` gives."""

from collections.abc import Mapping

from activities.stages.action import ACTION
from activities.stages.approval import APPROVAL
from activities.stages.code import CODE
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

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        ACTION,
        APPROVAL,
        CODE,
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
