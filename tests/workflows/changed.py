"""The workflows with one command more than what was recorded."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.messages import AllocateCall, Fire
    from workflows.schedule import Schedule
    from workflows.trigger import Trigger


@workflow.defn(name="trigger")
class SleepyTrigger(Trigger):
    @workflow.run
    async def run(self, fire: Fire) -> None:
        await workflow.sleep(1)
        await Trigger.run(self, fire)


@workflow.defn(name="schedule")
class SleepySchedule(Schedule):
    @workflow.run
    async def run(self, call: AllocateCall) -> None:
        await workflow.sleep(1)
        await Schedule.run(self, call)
