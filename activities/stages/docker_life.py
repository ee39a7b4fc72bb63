"""The life of one container: found or started, followed to its end, stopped, removed.

Its name comes from the idempotency key and the attempt. Whoever executes the same attempt again, after the
death of a worker, finds it and follows it, whether it still runs or has ended.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import Any

from activities.stages import docker_bodies as bodies
from activities.stages.docker_engine import PATIENCE, Engine, EngineError, engine_at
from activities.stages.docker_files import provide
from activities.stages.docker_images import Prepared
from activities.stages.docker_log import Frames, Sink
from activities.stages.docker_plan import Plan, deadline_of
from activities.stages.kind import StageError

STOP_GRACE = 3  # seconds between the polite signal and the one that ends it
PAUSE = 0.5  # seconds before an Engine that is away is asked again
AGAIN = 10.0  # seconds without a failure, after which one is the first of another absence


@dataclass(frozen=True)
class State:
    """How a container is."""

    id: str
    status: str  #: `created`, `running`, `exited`, …
    exit_code: int
    is_out_of_memory: bool
    started: datetime | None
    finished: datetime | None
    deadline: datetime | None  #: When its attempt was to end, as it was said at its start.
    image: str  #: The image's id.

    @property
    def has_started(self) -> bool:
        """Whether its program may have had effects."""
        return self.started is not None

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.status in ("running", "paused", "restarting")


async def find(engine: Engine, name: str) -> State | None:
    """The container of that name or id."""
    try:
        found = await engine.get(f"/containers/{name}/json")
    except EngineError as error:
        if error.status == 404:
            return None
        raise
    state = found["State"]
    return State(
        id=found["Id"],
        status=state["Status"],
        exit_code=state["ExitCode"],
        is_out_of_memory=state["OOMKilled"],
        started=_instant(state["StartedAt"]),
        finished=_instant(state["FinishedAt"]),
        deadline=deadline_of(found["Config"]["Labels"] or {}),
        image=found["Image"],
    )


async def start(engine: Engine, plan: Plan, image: Prepared) -> asyncio.Task[None] | None:
    """Start the container; the task feeds its standard input. EngineError 404 or 409: another is at it."""
    await provide(engine, plan)
    body = bodies.container(plan, image.id, image.volumes)
    made = await _asked(engine, "/containers/create", body, name=plan.name)
    container = made["Id"]
    if made.get("Warnings"):
        await check_limits(engine, container, body["HostConfig"])
    feeding = None
    try:
        if plan.stdin is not None:
            is_ready = asyncio.get_running_loop().create_future()
            feeding = asyncio.create_task(_feed(engine, plan, container, plan.stdin, is_ready))
            await is_ready
        await _begin(engine, container)
    except BaseException:
        if feeding is not None:
            feeding.cancel()
        raise
    return feeding


async def was_fed(engine: Engine, name: str) -> bool:
    """Whether all of the standard input was handed over to the Engine."""
    try:
        await engine.get(f"/volumes/{name}{bodies.FED}")
    except EngineError as error:
        if error.status == 404:
            return False
        raise
    return True


async def follow(engine: Engine, container: str, sink: Sink) -> State | None:
    """How the container has ended, or None if it is gone; what it writes goes to the sink meanwhile."""
    clock = asyncio.get_running_loop().time
    silent_since = last = -inf
    while True:
        try:
            await _read_log(engine, container, sink)
            await engine.post_patiently(f"/containers/{container}/wait")
            if not sink.is_full:  # A log that the Engine follows may end before its last lines.
                sink.rewind()
                await _read_log(engine, container, sink, follow="0")
            sink.end()
            return await find(engine, container)
        except EngineError as error:
            if error.status == 404:
                return None
            if clock() - last > AGAIN:
                silent_since = clock()
            last = clock()
            if not error.is_passing or last - silent_since > PATIENCE:
                raise
            await asyncio.sleep(PAUSE)  # it is being restarted, perhaps
            sink.rewind()


async def stop(engine: Engine, container: str) -> None:
    """End the container, politely at first."""
    with suppress(EngineError):  # It may be gone, or not have started.
        await engine.post(f"/containers/{container}/stop", t=str(STOP_GRACE))


async def discard(engine: Engine, name: str) -> None:
    """Remove what was set up for a container that was never started; one that was stays."""
    try:
        await engine.delete(f"/containers/{name}", v="1")
    except EngineError as error:
        if error.status != 409:
            raise
        return
    await tidy(engine, name)


async def remove(engine: Engine, name: str) -> None:
    """Remove all that there is of an attempt, running or not."""
    await engine.delete(f"/containers/{name}", force="1", v="1")
    await tidy(engine, name)


async def tidy(engine: Engine, name: str) -> None:
    """Remove what there is besides the container."""
    await engine.delete(f"/containers/{name}{bodies.HOLDER}", force="1", v="1")
    for volume in (bodies.OUTPUTS, bodies.KEPT, bodies.FED):
        await engine.delete(f"/volumes/{name}{volume}")


async def remove_at(host: str, name: str) -> None:
    """Remove all that there is of an attempt from the Engine at an address."""
    async with engine_at(host) as engine:
        await remove(engine, name)


async def _asked(engine: Engine, path: str, body: Any = None, **query: str) -> Any:
    """The Engine's answer; what it says against the container is raised as StageError."""
    try:
        return await engine.post(path, body, **query)
    except EngineError as error:
        if error.status in (0, 404, 409):
            raise
        raise _refusal(error) from error


async def _begin(engine: Engine, container: str) -> None:
    try:
        await _asked(engine, f"/containers/{container}/start")
    except EngineError as error:
        if error.status != 404 or await find(engine, container) is None:
            raise
        raise _refusal(error) from error  # It is a network, perhaps, that is not there.


async def check_limits(engine: Engine, container: str, asked: Mapping[str, Any]) -> None:
    """Refuse an Engine that warns and goes on without a limit that its machine cannot enforce."""
    given = (await engine.get(f"/containers/{container}/json"))["HostConfig"]
    missing = [name for name in ("Memory", "NanoCpus", "PidsLimit") if given.get(name) != asked[name]]
    if missing:
        raise StageError(
            "code.start", f"the Docker Engine cannot enforce {', '.join(missing)}", retryable=False
        )


def _refusal(error: EngineError) -> StageError:
    """What the Engine says against a container, such as that there is no such program in it."""
    return StageError("code.start", f"the container cannot be started: {error}", retryable=error.is_passing)


async def _read_log(engine: Engine, container: str, sink: Sink, follow: str = "1") -> None:
    frames = Frames()
    path = f"/containers/{container}/logs"
    async with engine.streamed("GET", path, follow=follow, stdout="1", stderr="1") as response:
        async for chunk in response.aiter_raw():
            for stream, content in frames.read(chunk):
                sink.take(stream, content)
            if sink.is_full:
                return


async def _feed(
    engine: Engine, plan: Plan, container: str, content: bytes, is_ready: "asyncio.Future[None]"
) -> None:
    try:
        async with engine.attached(container) as (reader, writer):
            is_ready.set_result(None)
            writer.transport.set_write_buffer_limits(0)
            writer.write(content)
            await writer.drain()
            writer.write_eof()
            # Without this, a worker that takes over could not know that the program was given everything.
            await engine.post(
                "/volumes/create", {"Name": f"{plan.name}{bodies.FED}", "Labels": dict(plan.labels)}
            )
            await reader.read()
    except EngineError as error:  # A program that ends without having read all is no failure.
        if not is_ready.done():
            is_ready.set_exception(error)


def _instant(text: str) -> datetime | None:
    """An instant as the Engine writes it; None for its zero."""
    moment = datetime.fromisoformat(text)
    return moment if moment > datetime(1, 1, 2, tzinfo=UTC) else None
