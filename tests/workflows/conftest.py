from collections.abc import AsyncIterator

import pytest

from tests.workflows.stand import Stand, make_stand


@pytest.fixture
async def idle(temporal: str) -> Stand:
    """A stand whose workers the test starts."""
    return await make_stand(temporal)


@pytest.fixture
async def stand(idle: Stand) -> AsyncIterator[Stand]:
    """A stand that is served, in the sandbox."""
    async with idle.serving():
        yield idle
