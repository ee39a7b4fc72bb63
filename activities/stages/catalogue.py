"""The kinds of stage, by the name that `uses:` gives."""

from collections.abc import Mapping

from activities.stages.fail import FAIL
from activities.stages.http import HTTP
from activities.stages.kind import Kind
from activities.stages.postgres import POSTGRES
from activities.stages.redis import REDIS
from activities.stages.s3 import S3
from activities.stages.set import SET
from activities.stages.slack import SLACK

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (FAIL, HTTP, POSTGRES, REDIS, S3, SET, SLACK)}
