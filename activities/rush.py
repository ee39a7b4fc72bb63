"""A rush: many claims at one instant, for whose sake what is less urgent waits a moment."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 1.0  # seconds that others wait for a rush at the most


class Rush:
    """The claims of a process that are under way."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._claims = 0
        self._is_over = asyncio.Event()
        self._is_over.set()
        self._is_too_long = False

    @contextmanager
    def one(self) -> Iterator[None]:
        """A claim, from its wish to its verdict."""
        self._claims += 1
        self._is_over.clear()
        try:
            yield
        finally:
            self._claims -= 1
            if not self._claims:
                self._is_over.set()
                self._is_too_long = False

    async def over(self) -> None:
        """Return when no claim is under way; at once in a rush that has been waited for already."""
        if self._is_over.is_set() or self._is_too_long:
            return
        try:
            async with asyncio.timeout(self._patience):
                await self._is_over.wait()
        except TimeoutError:
            self._is_too_long = True
