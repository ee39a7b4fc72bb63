"""Cronny's worker with the bench's kinds: `python -m bench.worker`."""

import asyncio

from bench.kinds import BENCH_KINDS
from cronny.logs import configure_logging
from cronny.settings import Settings
from worker import serve

if __name__ == "__main__":
    settings = Settings()
    configure_logging(settings.log_format)
    asyncio.run(serve(settings, BENCH_KINDS))
