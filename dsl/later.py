"""Parts of the language that are planned but not there yet: they are refused, never ignored."""

from collections.abc import Iterable

from pydantic import JsonValue

from dsl.document import Path
from dsl.report import Report

ACTION_FIELDS = frozenset({"on_error", "on_success", "on_finish"})
STAGE_FIELDS = frozenset({"foreach", "item_as", "concurrency", "on_item_error", "undo"})
KINDS = frozenset({"docker", "mysql", "redis", "s3", "approval", "wait", "action"})


def without_later(value: dict[str, JsonValue], report: Report) -> dict[str, JsonValue]:
    """The action without the fields that are not supported yet; each of them is reported."""
    kept = _kept(value, ACTION_FIELDS, (), report)
    if isinstance(stages := kept.get("stages"), list):
        kept["stages"] = [_stage(stage, index, report) for index, stage in enumerate(stages)]
    if isinstance(connectors := kept.get("connectors"), list):
        kept["connectors"] = [_connector(edge, index, report) for index, edge in enumerate(connectors)]
    return kept


def _stage(stage: JsonValue, index: int, report: Report) -> JsonValue:
    return _kept(stage, STAGE_FIELDS, ("stages", index), report) if isinstance(stage, dict) else stage


def _connector(connector: JsonValue, index: int, report: Report) -> JsonValue:
    if not isinstance(connector, dict) or connector.get("on") != "retry":
        return connector
    report.add(("connectors", index, "on"), "'retry' is not supported yet", code="not_supported")
    return {**connector, "on": "error"}


def _kept(
    value: dict[str, JsonValue], later: Iterable[str], path: Path, report: Report
) -> dict[str, JsonValue]:
    found = [name for name in value if name in later]
    for name in found:
        report.add((*path, name), "not supported yet", code="not_supported", at_key=True)
    return {name: child for name, child in value.items() if name not in found}
