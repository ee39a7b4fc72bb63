"""Files that go into a container before it starts, and the one that comes out of it; all are in memory."""

import io
import json
import tarfile
from base64 import b64decode
from collections.abc import Mapping
from contextlib import suppress

from pydantic import JsonValue

from activities.stages import docker_bodies as bodies
from activities.stages.body import body_value
from activities.stages.docker_engine import Engine, EngineError
from activities.stages.docker_fields import OUTPUT, SECRETS
from activities.stages.docker_holder import HOLDER, holder_image
from activities.stages.docker_plan import Plan
from activities.stages.kind import StageError

NOT_REGULAR = 0x8F280000  # the bits of a mode as Go writes it: folder, link, pipe, socket, device, irregular


async def provide(engine: Engine, plan: Plan) -> None:
    """Make the volumes of a container that is yet to come, with its secrets in them, and keep them."""
    if not plan.has_files:
        return
    for body in bodies.volumes(plan):
        await engine.post("/volumes/create", body)
    name = f"{plan.name}{bodies.HOLDER}"
    try:
        await engine.post("/containers/create", bodies.holder(plan), name=name)
    except EngineError as error:
        if error.status != 404:
            raise
        await _give_holder(engine)
        await engine.post("/containers/create", bodies.holder(plan), name=name)
    await engine.post(f"/containers/{name}/start")
    if plan.secrets:
        await engine.put(f"/containers/{name}/archive", _archive(plan.secrets), path=SECRETS)


async def output_of(engine: Engine, plan: Plan) -> JsonValue:
    """What the program left as its output: JSON if it is that, else a text; raises StageError."""
    if not plan.fields.output_file:
        return None
    path = f"/containers/{plan.name}{bodies.HOLDER}/archive"
    try:
        found = json.loads(b64decode((await engine.head(path, path=OUTPUT))["x-docker-container-path-stat"]))
    except EngineError as error:
        if error.status != 404:
            raise
        await _check_held(engine, plan)
        return None
    limit = plan.fields.max_bytes
    if found["mode"] & NOT_REGULAR:
        raise StageError("validation", f"{OUTPUT} is not a file", retryable=False)
    if found["size"] > limit:
        raise StageError("validation", f"{OUTPUT} is larger than max_bytes: {limit}", retryable=False)
    return value_of(_first(await engine.content(path, path=OUTPUT)))


def value_of(content: bytes) -> JsonValue:
    """The content as JSON if it is that, else as a text, without the line's end that programs add."""
    return body_value(content.removesuffix(b"\n"), "application/json", "utf-8")


async def _check_held(engine: Engine, plan: Plan) -> None:
    """Raise StageError if there may have been an output: the Engine, or its machine, was restarted."""
    holder = None
    with suppress(EngineError):
        holder = await engine.get(f"/containers/{plan.name}{bodies.HOLDER}/json")
    if holder is None or not holder["State"]["Running"]:
        raise StageError("code.lost", f"{OUTPUT} is gone: the Engine did not keep it", retryable=True)


async def _give_holder(engine: Engine) -> None:
    architecture = str((await engine.get("/version"))["Arch"])
    try:
        content = holder_image(architecture)
    except LookupError:
        problem = f"secret_files and output_file need an Engine on amd64 or arm64, not on {architecture}"
        raise StageError("validation", problem, retryable=False) from None
    repository, _, tag = HOLDER.partition(":")
    await engine.send("/images/create", content, fromSrc="-", repo=repository, tag=tag)


def _archive(files: Mapping[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as members:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.mode, member.size = 0o444, len(content)
            members.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def _first(archive: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        member = members.next()
        content = members.extractfile(member) if member else None
        return content.read() if content else b""
