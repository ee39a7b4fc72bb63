"""The kinds of stage, by the name that `uses:` gives."""

from collections.abc import Mapping

from activities.stages.fail import FAIL
from activities.stages.http import HTTP
from activities.stages.kind import Kind
from activities.stages.mysql import MYSQL
from activities.stages.postgres import POSTGRES
from activities.stages.set import SET
from activities.stages.slack import SLACK

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (FAIL, HTTP, MYSQL, POSTGRES, SET, SLACK)}
