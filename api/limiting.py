"""What a tenant's limits say of a request."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise

from pydantic import JsonValue

from api.rules import idle_problem
from cronny.errors import Invalid
from cronny.scheduling import DateSet, compile_schedule
from cronny.scheduling.compiled import upcoming
from cronny.store.columns import json_text
from cronny.store.limits import Limit
from cronny.store.tenant_store import TenantStore
from dsl.document import Document, Path
from dsl.durations import format_duration
from dsl.problems import Problem
from dsl.report import Report
from dsl.schedule import Schedule

LOOKED_AT = 200  # fires of a rule between which its smallest interval is searched

_RAISE = "ask whoever runs this installation for more"


def rule_problem(
    store: TenantStore, schedule: Schedule, calendars: Mapping[str, DateSet], document: Document, path: Path
) -> Problem | None:
    """What is wrong with a rule, saved now, that will never fire, or more often than the tenant may."""
    idle = idle_problem(schedule, calendars, document, path, store.now)
    return idle or _interval_problem(store, schedule, calendars, document, path)


def require_small(store: TenantStore, inputs: JsonValue, document: Document, path: Path) -> None:
    """Raise Invalid for inputs that are larger than the tenant's may be."""
    most = store.limits.of(Limit.INPUT_BYTES)
    if most is None or (size := len(json_text(inputs))) <= most:
        return
    report = Report(document)
    what = f"take {size} bytes; the tenant's limit '{Limit.INPUT_BYTES}' is {most}"
    report.add(path, what, f"send less, or {_RAISE}", "limit_reached")
    raise Invalid(report.problems)


def _interval_problem(
    store: TenantStore, schedule: Schedule, calendars: Mapping[str, DateSet], document: Document, path: Path
) -> Problem | None:
    least = store.limits.of(Limit.MINIMUM_INTERVAL)
    if least is None:
        return None
    dues = upcoming(compile_schedule(schedule, store.now, calendars), store.now, LOOKED_AT)
    smallest = min((later - earlier for earlier, later in pairwise(dues)), default=None)
    if smallest is None or smallest >= timedelta(seconds=least):
        return None
    every, most = format_duration(smallest), format_duration(timedelta(seconds=least))
    report = Report(document)
    what = f"fires {every} apart; the tenant's limit '{Limit.MINIMUM_INTERVAL}' is {most}"
    report.add(path, what, f"let it fire less often, or {_RAISE}", "limit_reached")
    return report.problems[0]
