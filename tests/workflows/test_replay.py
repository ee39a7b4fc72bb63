"""Recorded histories replay, in the sandbox: workflow code may change, the commands it gives may not."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from tests.workflows.changed import SleepySchedule, SleepyTrigger
from tests.workflows.record import HISTORIES
from tests.workflows.scenarios import SCENARIOS
from workflows.checking import ConnectionCheck
from workflows.foreach import Foreach
from workflows.schedule import Schedule
from workflows.trigger import Trigger

RECORDED = sorted(HISTORIES.glob("*.json"))


async def _replay(text: str, *workflows: type) -> None:
    document = json.loads(text)
    history = WorkflowHistory.from_json(document["id"], document["history"])
    await Replayer(workflows=workflows, data_converter=pydantic_data_converter).replay_workflow(history)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_history_replays(path: Path) -> None:
    asyncio.run(_replay(path.read_text(), Schedule, Trigger, Foreach, ConnectionCheck))


@pytest.mark.parametrize("name", ["schedule-wakes", "trigger-one-stage"])
def test_a_changed_workflow_is_noticed(name: str) -> None:
    text = (HISTORIES / f"{name}.json").read_text()
    with pytest.raises(NondeterminismError):
        asyncio.run(_replay(text, SleepySchedule, SleepyTrigger))


def test_every_scenario_is_recorded() -> None:
    assert SCENARIOS.keys() <= {path.stem for path in RECORDED}


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_history_does_not_tell_who_recorded_it(path: Path) -> None:
    text = path.read_text()
    told = set(re.findall(r'"identity": "([^"]*)"', text))
    assert told - {"history-service"} == {"recorder"}  # the server itself hands on what concerns a child
    assert "stackTrace" not in text
