"""A trigger's news as the text of Server-Sent Events."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from api.follow.marks import Marks
from api.follow.news import News, Reader, closing, news, news_of_item
from api.follow.streams import Streams
from api.follow.watch import Followed
from api.parts import Parts
from cronny.store.following import Sighting, ended_items, failed_attempts

BEAT = 15.0  # seconds of silence, after which a proxy could think that nobody is there
LONGEST = 900.0  # seconds; then the client comes back by itself, and its key is looked at again
TOGETHER = 100  # events in one piece
BEGIN = "retry: 1000\n\n"  # milliseconds until a client comes back
ALIVE = ": alive\n\n"


@dataclass
class Stream:
    """One reader of one trigger."""

    parts: Parts
    streams: Streams
    tenant_id: str
    trigger_id: str
    reader: Reader
    marks: Marks
    follows: bool

    async def events(self) -> AsyncIterator[str]:
        """The text, until the trigger has ended, the process ends, or the time is over."""
        clock = asyncio.get_running_loop().time
        began = said = clock()
        yield BEGIN
        async with self.streams.watch.follow(self.tenant_id, self.trigger_id) as followed:
            number = 0
            while not self.streams.is_closed and clock() - began < LONGEST:
                number = await _later(followed, number, BEAT)
                if followed.seen is None:
                    if number > 0 and not self.streams.is_closed:
                        return  # It was purged meanwhile.
                    continue
                async for text in self._pieces(followed.seen):
                    said = clock()
                    yield text
                if self.marks.has_ended or not self.follows:
                    return
                if clock() - said >= BEAT:
                    said = clock()
                    yield ALIVE

    async def _pieces(self, seen: Sighting) -> AsyncIterator[str]:
        for text in self._joined(news(self.reader, self.marks, seen)):
            yield text
        for stage, count in seen.ended_items.items():
            while self.reader.wants(stage) and self.marks.count(stage) < count:
                items = await self._items(stage)
                for text in items:
                    yield text
                if not items or self.streams.is_closed:
                    return
        for text in self._joined(closing(self.marks, seen, self.parts.clock())):
            yield text

    async def _items(self, stage: str) -> list[str]:
        """The next items of a stage that have ended."""
        async with self.parts.database.for_tenant(self.tenant_id).read() as session:
            steps = await ended_items(session, self.trigger_id, stage, self.marks.gaps(stage))
            again = {step.unit for step in steps if step.attempt > 1}
            failed = await failed_attempts(session, again) if again else {}
        told = (one for step in steps for one in news_of_item(self.reader, self.marks, step, failed))
        return list(self._joined(told))

    def _joined(self, told: Iterable[News]) -> Iterable[str]:
        texts: list[str] = []
        for one in told:
            texts.append(f"id: {self.marks}\nevent: {one.kind}\ndata: {json.dumps(dict(one.fields))}\n\n")
            if len(texts) >= TOGETHER:
                yield "".join(texts)
                texts.clear()
        if texts:
            yield "".join(texts)


async def _later(followed: Followed, number: int, seconds: float) -> int:
    """The number of a later look, or the same one when there was none for so long."""
    try:
        return await asyncio.wait_for(followed.later(number), seconds)
    except TimeoutError:
        return number
