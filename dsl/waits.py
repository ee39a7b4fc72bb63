"""Check what concerns the stages that wait: connectors that fire before their end, and retries."""

from collections.abc import Mapping

from pydantic import JsonValue

from dsl.report import Report
from dsl.sketch import Sketch, StageSketch
from dsl.waiting import EARLY_EVENTS, WAITING_KINDS

_ONCE = frozenset({"approval", "wait"})  # what they wait for is not tried again


def check_waits(sketch: Sketch, report: Report) -> None:
    """Report early connectors out of stages that don't wait or remind, and retries of those that wait."""
    stages = {stage.id: stage for stage in sketch.stages}
    for connector in sketch.connectors:
        event, source = connector.raw.get("on"), stages.get(connector.source)
        if not isinstance(event, str) or event not in EARLY_EVENTS or source is None:
            continue
        if wrong := _unheard(event, source):
            report.add((*connector.path, "on"), *wrong, code="connector")
    for stage in sketch.stages:
        if stage.uses in _ONCE and stage.raw.get("retry") not in (None, False):
            what = f"a stage of kind {stage.uses} is not tried again"
            report.add((*stage.path, "retry"), what, "leave it out", "retry", at_key=True)


def _unheard(event: str, source: StageSketch) -> tuple[str, str] | None:
    """Why a stage never gives such an event, and what to do."""
    if source.uses not in WAITING_KINDS:
        kinds = ", ".join(sorted(WAITING_KINDS))
        return f"'{source.id}' does not wait, so nothing is {event} there", f"the kinds that wait are {kinds}"
    if "foreach" in source.raw:
        what = f"'{source.id}' waits for each of its items, not as a whole"
        return what, f"'{event}' is for stages without 'foreach'"
    if event == "reminder" and "remind_after" not in _with(source):
        return f"'{source.id}' has no reminder", "give it `remind_after`"
    return None


def _with(stage: StageSketch) -> Mapping[str, JsonValue]:
    values = stage.raw.get("with")
    return values if isinstance(values, dict) else {}
