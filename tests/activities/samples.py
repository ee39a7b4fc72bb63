"""Actions and fires that tests of the activities share."""

from datetime import UTC, datetime

from activities.action_cache import LoadedAction, ready
from activities.stages.catalogue import KINDS
from dsl.action import Action
from dsl.check import check_text
from workflows.messages import Fire

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def read_action(text: str) -> Action:
    """The action of a text that has no problems."""
    checked = check_text(text, KINDS, None)
    assert checked.action is not None, checked.problems
    return checked.action


def load(text: str) -> LoadedAction:
    """An action, ready to be executed."""
    return ready(read_action(text), KINDS)


def fire_for(trigger_id: str = "trg_1", action_id: str = "act_1") -> Fire:
    """The first fire of the schedule `hourly`."""
    return Fire(
        tenant="acme", trigger_id=trigger_id, action_id=action_id, action="check_orders", version=1,
        schedule="hourly", number=1, generation=1, due=NOW, workflow_id="trigger/acme/hourly/1",
    )  # fmt: skip
