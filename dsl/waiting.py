"""The kinds of stage that wait in the workflow and hold no slot meanwhile, and how long they may."""

from collections.abc import Mapping
from datetime import timedelta

from pydantic import JsonValue

WAITING_KINDS = frozenset({"approval", "wait", "action"})
EARLY_EVENTS = frozenset({"waiting", "reminder"})  # what connectors hear of a stage before it ends
LONGEST_WAIT = timedelta(days=366)
PATIENCE = timedelta(days=7)  # with people and with other programs, unless the stage says otherwise


def default_patience(uses: str, values: Mapping[str, JsonValue]) -> timedelta:
    """How long a stage of a waiting kind may wait that has no `timeout` of its own."""
    is_for_others = uses == "approval" or "webhook" in values
    return PATIENCE if is_for_others else LONGEST_WAIT
