"""Triggers as they change, live."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from rich.live import Live

from cronny.cli.terminal import console, print_json
from cronny.cli.trigger_tables import trigger_table

LOOK_EVERY = 1.0  # seconds between two looks at the ledger
KEPT = 20_000  # states that are remembered: more than a look can show

Look = Callable[[], list[Any]]


class Changes:
    """Which triggers are new or in another state since they were seen last."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {}

    def among(self, triggers: Iterable[Any]) -> list[Any]:
        """Those that changed, in the order in which they are due."""
        changed = [one for one in triggers if self._states.get(one["id"]) != one["state"]]
        self._states |= {one["id"]: one["state"] for one in changed}
        for forgotten in list(self._states)[: max(len(self._states) - KEPT, 0)]:
            del self._states[forgotten]
        return sorted(changed, key=lambda one: (one["due"], one["id"]))


def watch_lines(look: Look, changes: Changes, once: bool) -> None:
    """A JSON object a line for each change."""
    while True:
        for trigger in changes.among(look()):
            print_json(trigger, indent=None)
        if once:
            return
        time.sleep(LOOK_EVERY)


def watch_table(look: Look) -> None:
    """A table that follows the ledger."""
    with Live(trigger_table(look()), console=console(), auto_refresh=False) as live:
        while True:
            live.update(trigger_table(look()), refresh=True)
            time.sleep(LOOK_EVERY)
