"""Makes Temporal's SDK download its development server: `python -m cronny.temporal.download FOLDER`.

A process of its own, because a download that hangs in the SDK can only be ended by ending its process.
"""

import asyncio
import os
import sys

from temporalio.testing import WorkflowEnvironment


async def download(folder: str) -> None:
    """Leaves the binary in `folder`; the SDK starts it once to see that it works."""
    environment = await WorkflowEnvironment.start_local(download_dest_dir=folder)
    await environment.shutdown()


def main() -> int:
    """The exit code; the reason of a failure is one line on standard error."""
    try:
        asyncio.run(download(sys.argv[1]))
    except (RuntimeError, OSError) as error:
        print(str(error).splitlines()[0], file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # The SDK's threads can crash an interpreter that ends in order, and bury the reason.
