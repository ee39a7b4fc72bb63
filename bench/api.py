"""Cronny's API with the bench's kinds: `python -m bench.api`."""

import asyncio

from api.__main__ import serve
from bench.kinds import BENCH_KINDS
from cronny.logs import configure_logging
from cronny.settings import Settings

if __name__ == "__main__":
    settings = Settings()
    configure_logging(settings.log_format)
    asyncio.run(serve(settings, BENCH_KINDS))
