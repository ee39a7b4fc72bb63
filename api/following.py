"""What is asked of a trigger's live news and of its log."""

from collections.abc import Collection, Iterator

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from api.caller import Caller
from api.follow.marks import read_marks
from api.follow.news import Reader
from api.follow.stream import Stream
from api.follow.streams import EventStream, Streams
from api.triggers import require_id
from api.views.stage import HIDDEN, hiding
from cronny.errors import NotFound, Unavailable
from cronny.store.following import Sighting


def streams_of(request: Request) -> Streams:
    """The open streams of the server that received the request."""
    streams: Streams = request.app.state.streams
    return streams


async def follow_trigger(
    caller: Caller,
    streams: Streams,
    trigger_id: str,
    stages: Collection[str],
    last: str | None,
    *,
    follows: bool,
) -> Response:
    """A trigger's news, after the event of that id; raises NotFound, Invalid, TooMany."""
    require_id(trigger_id)
    marks = read_marks(last)
    async with caller.read() as store:
        version = await store.triggers.version(await store.triggers.get(trigger_id))
    if marks.has_ended:
        return Response(status_code=204)  # This keeps a browser from coming back.
    if streams.is_closed:
        raise Unavailable("this server is ending; come back in a moment")
    release = streams.enter(caller.tenant.id, caller.actor)
    reader = Reader(stages, hiding(version))
    stream = Stream(caller.parts, streams, caller.tenant.id, trigger_id, reader, marks, follows)
    return EventStream(stream.events(), release)


async def read_log(caller: Caller, trigger_id: str, stage: str | None, item: int | None) -> Response:
    """The lines of a trigger, of one of its stages or of one item, up to now; raises NotFound."""
    require_id(trigger_id)
    async with caller.read() as store:
        entry = await store.triggers.get(trigger_id)
        hides = hiding(await store.triggers.version(entry))
        if stage is not None and item is not None:
            found = await store.triggers.item_log(entry, stage, item)
            if found is None:
                raise NotFound(f"stage '{stage}' of this trigger has no item {item}")
            return _text([HIDDEN] if hides(stage) and found else [found] if found else [])
        seen = await store.triggers.sighting(entry)
    logs = dict(_logs(seen))
    if stage is None:
        shown = {name: HIDDEN if hides(name) else text for name, text in logs.items() if text}
        return _text([f"{name} | {line}" for name, text in shown.items() for line in text.split("\n")])
    if stage not in logs:
        raise NotFound(f"stage '{stage}' of this trigger has no log yet")
    return _text([HIDDEN if hides(stage) else logs[stage]] if logs[stage] else [])


def _logs(seen: Sighting) -> Iterator[tuple[str, str]]:
    """The log of each stage, as far as it is known, its failed attempts first."""
    for step in seen.steps:
        earlier = [seen.failed.get((step.unit, number)) for number in range(1, step.attempt)]
        live = seen.live.get(step.unit)
        latest = step.log or "\n".join(line.text for line in (live.lines if live is not None else ()))
        texts = [*(one.log for one in earlier if one is not None), latest]
        yield step.unit.stage_id, "\n".join(text for text in texts if text)


def _text(lines: list[str]) -> Response:
    return PlainTextResponse("".join(f"{line}\n" for line in lines), headers={"Cache-Control": "no-cache"})
