"""The kind `docker`: a program in a container, on an Engine that the operator named."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from pydantic import JsonValue

from activities.stages.docker_check import NO_ENGINE, check_connection
from activities.stages.docker_engine import Engine, EngineError, engine_at
from activities.stages.docker_fields import Context, DockerConnection, DockerWith
from activities.stages.docker_files import output_of, value_of
from activities.stages.docker_images import prepared
from activities.stages.docker_life import (
    State,
    discard,
    find,
    follow,
    remove,
    remove_at,
    start,
    stop,
    was_fed,
)
from activities.stages.docker_log import Sink
from activities.stages.docker_plan import Plan, name_of, planned
from activities.stages.kind import Kind, StageError
from cronny.docker import Docker

SETTING_UP = 15.0  # seconds from making a container to its start, after which nobody is at it any more
LOOK_AGAIN = 0.1  # seconds, while another worker starts the container
SIGNALLED = 128  # an exit code above it is this and the number of a signal


async def run(context: Context, docker: Docker | None = None) -> JsonValue:
    """The exit code, the output file, the standard output if asked for, the image, and how long it took."""
    if docker is None or docker.host is None:
        raise StageError("validation", NO_ENGINE, retryable=False)
    rules = docker.rules_of(context.origin.tenant)
    plan = planned(context, rules)
    try:
        async with engine_at(docker.host) as engine:
            if context.attempt > 1:
                await remove(engine, name_of(context.idempotency_key, context.attempt - 1))
            output = await _executed(engine, plan, context, rules.pull)
    except EngineError as error:
        raise StageError("connection", f"the Docker Engine: {error}", retryable=error.is_passing) from error
    finally:
        # Not before the end is recorded: until then, whoever executes this attempt again must find it.
        context.passage.afterwards.append(partial(remove_at, docker.host, plan.name))
    return output


async def _executed(engine: Engine, plan: Plan, context: Context, may_pull: bool) -> JsonValue:
    keeps = None if plan.fields.stdout == "log" else plan.fields.max_bytes
    sink = Sink(context.log_from("stdout"), keeps, context.log_from("stderr"))
    feeding: asyncio.Task[None] | None = None
    try:
        state, feeding = await _obtained(engine, plan, context, may_pull, sink)
        async with asyncio.timeout(_rest(state)):
            ended = await follow(engine, state.id, sink)
    except (asyncio.CancelledError, TimeoutError):
        if not context.passage.is_handed_over():
            await asyncio.shield(_ended(engine, plan.name))
        raise
    finally:
        if feeding is not None:
            feeding.cancel()
    if ended is None:
        raise StageError("code.lost", "the container was removed by somebody else", retryable=True)
    _check_end(ended, plan, sink)
    return {
        "exit_code": ended.exit_code,
        "output": await output_of(engine, plan),
        "stdout": _stdout(plan, sink),
        "image": ended.image,
        "elapsed_ms": _elapsed(ended),
    }


async def _obtained(
    engine: Engine, plan: Plan, context: Context, may_pull: bool, sink: Sink
) -> tuple[State, asyncio.Task[None] | None]:
    """The attempt's container, started by an earlier worker or now."""
    clock = asyncio.get_running_loop().time
    until, is_anew = clock() + SETTING_UP, False
    while True:
        found = await find(engine, plan.name)
        if found is not None and found.has_started:
            await _check_fed(engine, plan, found)
            sink.skip(await context.passage.earlier())
            context.log("the container is there already; following it")
            return found, None
        if found is None and (mine := await _started(engine, plan, context, may_pull)) is not None:
            return mine
        if clock() > until:
            if is_anew:
                raise StageError(
                    "code.lost", "the container is always taken by somebody else", retryable=True
                )
            await discard(engine, plan.name)  # Whoever made it did not come to start it.
            until, is_anew = clock() + SETTING_UP, True
        await asyncio.sleep(LOOK_AGAIN)


async def _started(
    engine: Engine, plan: Plan, context: Context, may_pull: bool
) -> tuple[State, asyncio.Task[None] | None] | None:
    """The container, started; None if another worker is about to start it, or has taken this one away."""
    image = await prepared(engine, plan, context.connection, may_pull, context.log)
    try:
        feeding = await start(engine, plan, image)
    except EngineError as error:
        if error.status not in (404, 409):
            raise
        return None
    state = await find(engine, plan.name)
    return (state, feeding) if state is not None else None


async def _check_fed(engine: Engine, plan: Plan, found: State) -> None:
    if plan.stdin is not None and found.is_running and not await was_fed(engine, plan.name):
        raise StageError(
            "code.lost", "the worker ended while it wrote to the program's standard input", retryable=True
        )


async def _ended(engine: Engine, name: str) -> None:
    """Stop and remove the container, whatever it does."""
    with suppress(EngineError):  # What cannot be removed now, the reaper finds.
        await stop(engine, name)
        await remove(engine, name)


def _elapsed(ended: State) -> int | None:
    if ended.started is None or ended.finished is None:
        return None
    return max(round((ended.finished - ended.started) / timedelta(milliseconds=1)), 0)


def _rest(state: State) -> float | None:
    """Seconds that are left to the attempt: those it had under an earlier worker count."""
    if state.deadline is None or not state.is_running:
        return None
    return max((state.deadline - datetime.now(UTC)).total_seconds(), 0)


def _check_end(ended: State, plan: Plan, sink: Sink) -> None:
    code = ended.exit_code
    details: dict[str, JsonValue] = {"exit_code": code, "stderr": sink.complaint}
    if ended.is_out_of_memory:
        raise StageError(
            "code.memory",
            "the container had too little memory; give it more",
            retryable=False,
            details=details,
        )
    if code not in plan.fields.expected_exits:
        signal = f", ended by signal {code - SIGNALLED}" if code > SIGNALLED else ""
        said = f": {sink.complaint}" if sink.complaint else ""
        raise StageError("code.exit", f"exit code {code}{signal}{said}", retryable=True, details=details)


def _stdout(plan: Plan, sink: Sink) -> JsonValue:
    limit = plan.fields.max_bytes
    if sink.is_over:
        raise StageError("validation", f"stdout is larger than max_bytes: {limit}", retryable=False)
    content = bytes(sink.stdout)
    if plan.fields.stdout != "json":
        return content.decode(errors="replace") if plan.fields.stdout == "text" else None
    value = value_of(content.strip())
    if isinstance(value, str) and not content.lstrip().startswith(b'"'):
        raise StageError("validation", "stdout is not JSON", retryable=False)
    return value


DOCKER = Kind(
    name="docker",
    with_model=DockerWith,
    connection="optional",
    is_pure=False,
    connection_model=DockerConnection,
    run=run,
    check_connection=check_connection,
    summary="Executes a program in a container and gives its `exit_code`, `output` and `stdout`.",
    example="""\
id: report
uses: docker
with:
  image: ghcr.io/acme/report:3
  command: [report, --day, "${{ trigger.due }}"]
  memory: 512m
timeout: 10m
""",
)


def docker_kind(docker: Docker) -> Kind:
    """The kind, for the Engine of an installation."""
    return replace(
        DOCKER,
        run=partial(run, docker=docker),
        check_connection=partial(check_connection, docker=docker),
    )
