"""The workflow that has a connection tested by a worker of its tenant."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from workflows import ports
    from workflows.messages import CheckCall

LIMIT = timedelta(seconds=15)  # of the test, which limits itself to less
ONCE = RetryPolicy(maximum_attempts=1)  # somebody waits for the answer and can ask again


@workflow.defn(name="check_connection")
class ConnectionCheck:
    """One test of a connection; what it found stands in the connection's row."""

    @workflow.run
    async def run(self, call: CheckCall) -> None:
        """Test."""
        await workflow.execute_activity(
            ports.check_connection,
            call,
            start_to_close_timeout=LIMIT,
            retry_policy=ONCE,
            summary=call.connection,
        )
