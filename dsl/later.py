"""Parts of the language that are planned but not there yet: they are refused, never ignored."""

from pydantic import JsonValue

from dsl.report import Report

ACTION_FIELDS = frozenset({"concurrency", "priority"})


def without_later(value: dict[str, JsonValue], report: Report) -> dict[str, JsonValue]:
    """The action without the fields that are not supported yet; each of them is reported."""
    found = [name for name in value if name in ACTION_FIELDS]
    for name in found:
        report.add((name,), "not supported yet", code="not_supported", at_key=True)
    return {name: child for name, child in value.items() if name not in found}
