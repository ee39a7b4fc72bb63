"""The kinds of stage that only the bench has: one notes that it runs, one does nothing."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pydantic import JsonValue

from activities.stages.catalogue import KINDS
from activities.stages.kind import Block, Kind, StageContext
from bench.sink import SINK_PATH, Sink


class MarkWith(Block):
    """The `with:` block of `mark`."""

    due: datetime
    fire: str


class NoopWith(Block):
    """The `with:` block of `noop`."""


def _sink() -> Sink:
    return Sink(Path(os.environ[SINK_PATH]))


class _Marker:
    def __init__(self) -> None:
        self._sink: Sink | None = None

    async def run(self, context: StageContext[MarkWith, None]) -> JsonValue:
        self._sink = self._sink or _sink()
        self._sink.hit(context.with_.fire, context.with_.due.timestamp())
        return None


async def _nothing(context: StageContext[NoopWith, None]) -> JsonValue:
    return None


MARK = Kind(
    name="mark",
    with_model=MarkWith,
    connection="none",
    is_pure=False,
    connection_model=None,
    run=_Marker().run,
    summary="Notes in a file that it runs.",
    example="""\
id: mark
uses: mark
with: {due: "${{ string(trigger.due) }}", fire: "${{ trigger.id }}"}
""",
)
NOOP = Kind(
    name="noop",
    with_model=NoopWith,
    connection="none",
    is_pure=False,
    connection_model=None,
    run=_nothing,
    summary="Does nothing, as an activity.",
    example="id: nothing\nuses: noop\n",
)

BENCH_KINDS: Mapping[str, Kind] = {**KINDS, MARK.name: MARK, NOOP.name: NOOP}
