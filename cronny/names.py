"""The names an operator sees: workflow ids, task queues, search attributes, object ids."""

import re
from datetime import UTC, datetime
from secrets import token_hex

SYSTEM_QUEUE = "system"
SEARCH_TENANT = "CronnyTenant"
SEARCH_SCHEDULE = "CronnySchedule"
SEARCH_ACTION = "CronnyAction"

NAME_PATTERN = r"^[a-z][a-z0-9_-]{0,62}$"
_NAME = re.compile(NAME_PATTERN)


def is_name(text: str) -> bool:
    """Whether `text` may name a tenant, action, schedule or connection."""
    return _NAME.fullmatch(text) is not None  # `$` alone lets a line end follow


def tenant_queue(tenant: str) -> str:
    """The task queue of a tenant's triggers and their stages."""
    return f"tenant/{tenant}"


def schedule_workflow(tenant: str, schedule: str) -> str:
    """The workflow id of a schedule."""
    return f"schedule/{tenant}/{schedule}"


def trigger_workflow(tenant: str, schedule: str, due: datetime) -> str:
    """The workflow id of a fire."""
    return f"trigger/{tenant}/{schedule}/{instant_text(due)}"


def again(workflow_id: str, generation: int) -> str:
    """The workflow id of a due that is allocated once more, under a later generation."""
    return f"{workflow_id}~{generation}"


def moved_workflow(workflow_id: str, to: datetime) -> str:
    """The workflow id of a fire that was moved after a workflow of it had been started."""
    return f"{workflow_id.partition('~')[0]}~{instant_text(to)}"


def backfill_workflow(workflow_id: str, backfill: str) -> str:
    """The workflow id of a fire that is executed for the sake of a backfill."""
    return f"{workflow_id}/{backfill}"


def asked_workflow(tenant: str, action: str, origin: str, trigger: str) -> str:
    """The workflow id of a trigger that was asked for; the origin is such as `manual` or `webhook`."""
    return f"trigger/{tenant}/{action}/{origin}/{trigger}"


def check_workflow(tenant: str, connection: str) -> str:
    """The workflow id of a test of a connection; a second one at the same time joins the first."""
    return f"check/{tenant}/{connection}"


def instant_text(instant: datetime) -> str:
    """RFC 3339 in UTC with a `Z`, fractions only where there are any."""
    text = instant.astimezone(UTC).replace(tzinfo=None).isoformat()
    return f"{text}Z"


def new_id(prefix: str, now: datetime) -> str:
    """A fresh id such as `trg_0198c5…`, which sorts by time of making."""
    return f"{prefix}_{int(now.timestamp() * 1000):012x}{token_hex(6)}"
