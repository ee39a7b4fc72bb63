"""Bare Temporal, as its tutorials write it: workflows that sleep, and Temporal's own schedules."""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleRange,
    ScheduleSpec,
)

from bench.arm import Arm, Recurring, gathered
from bench.bare import QUEUE, Chain, Child, Scheduled, Sleeper
from bench.stand import Stand


class Sleepers(Arm):
    """A workflow for each schedule: it sleeps, then calls an activity, or starts a child that does."""

    def __init__(self, name: str, *, has_child: bool) -> None:
        self.name = name
        self._has_child = has_child

    def worker(self, stand: Stand) -> AbstractContextManager[None]:
        """One worker for workflows and activities."""
        return stand.module("worker", "bench.bare", stand.settings.temporal_target)

    async def once(self, stand: Stand, prefix: str, dues: Sequence[float]) -> None:
        """Workflows that sleep once."""
        await self.recurring(
            stand, [Recurring(f"{prefix}-{number}", due, 0.0, 1) for number, due in enumerate(dues)]
        )

    async def recurring(self, stand: Stand, rules: Sequence[Recurring]) -> None:
        """Workflows that sleep again and again."""
        client = await stand.client()

        async def one(number: int) -> None:
            rule = rules[number]
            arguments = [rule.start, rule.every, rule.times, self._has_child]
            name = f"{self.name.replace(' ', '-')}-{rule.name}"
            await client.start_workflow(Sleeper.run, args=arguments, id=name, task_queue=QUEUE)

        await gathered(one, len(rules))

    async def chain(self, stand: Stand, length: int, times: int) -> list[float]:
        """A workflow of so many activities in a row."""
        client = await stand.client()
        return [await _chain(client, length, number) for number in range(times)]


class Schedules(Arm):
    """Temporal's own schedules; a namespace starts at most 30 workflows a second from them."""

    name = "temporal schedules"

    def worker(self, stand: Stand) -> AbstractContextManager[None]:
        """The same worker as that of the bare arms."""
        return stand.module("worker", "bench.bare", stand.settings.temporal_target)

    async def once(self, stand: Stand, prefix: str, dues: Sequence[float]) -> None:
        """Schedules of one calendar instant each."""
        client = await stand.client()

        async def one(number: int) -> None:
            name, due = f"{prefix}-{number}", dues[number]
            action = ScheduleActionStartWorkflow(
                Child.run, args=[name, due], id=f"scheduled-{name}", task_queue=QUEUE
            )
            spec = ScheduleSpec(calendars=[_instant(due)])
            await client.create_schedule(f"temporal-{name}", Schedule(action=action, spec=spec))

        await gathered(one, len(dues))

    async def recurring(self, stand: Stand, rules: Sequence[Recurring]) -> None:
        """Schedules of an interval each."""
        client = await stand.client()

        async def one(number: int) -> None:
            rule = rules[number]
            action = ScheduleActionStartWorkflow(
                Scheduled.run, rule.name, id=f"scheduled-{rule.name}", task_queue=QUEUE
            )
            every = timedelta(seconds=rule.every)
            offset = timedelta(seconds=rule.start % rule.every)
            spec = ScheduleSpec(
                intervals=[ScheduleIntervalSpec(every=every, offset=offset)],
                start_at=datetime.fromtimestamp(rule.start - 0.5, UTC),
                end_at=datetime.fromtimestamp(rule.dues()[-1] + 0.5, UTC),
            )
            await client.create_schedule(f"temporal-{rule.name}", Schedule(action=action, spec=spec))

        await gathered(one, len(rules))


def _instant(due: float) -> ScheduleCalendarSpec:
    at = datetime.fromtimestamp(due, UTC)
    return ScheduleCalendarSpec(
        second=[ScheduleRange(at.second)],
        minute=[ScheduleRange(at.minute)],
        hour=[ScheduleRange(at.hour)],
        day_of_month=[ScheduleRange(at.day)],
        month=[ScheduleRange(at.month)],
        year=[ScheduleRange(at.year)],
    )


async def _chain(client: Client, length: int, number: int) -> float:
    began = time.monotonic()
    await client.execute_workflow(Chain.run, length, id=f"chain-{number}-{began}", task_queue=QUEUE)
    return time.monotonic() - began
