"""Actions that would trigger one another in a circle are refused, as far as they name each other."""

from api.writing import WrittenAction
from cronny.errors import Invalid
from cronny.store.tenant_store import TenantStore
from dsl.calls import calls_of, find_circle
from dsl.report import Report

HINT = "an action that waits for itself never ends; use `foreach`, or schedule it again"


async def require_no_circle(store: TenantStore, written: WrittenAction) -> None:
    """Raise Invalid, at the stage that closes the circle."""
    own = list(calls_of(written.document.value))
    if not own:
        return
    models = [version.model for version in await store.actions.newest()]
    calls = {
        str(model.get("name")): frozenset(name for _, name in calls_of(model))
        for model in models
        if isinstance(model, dict)
    }
    calls.pop(written.action.name, None)
    report = Report(written.document)
    for path, name in own:
        if circle := find_circle(written.action.name, name, calls):
            report.add(path, f"the actions form a circle: {' -> '.join(circle)}", HINT, "cycle")
    if report.problems:
        raise Invalid(report.problems)
