"""A `docker` stage on the tests' Engine: a shell script in a container."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from activities.stages.docker import docker_kind
from activities.stages.kind import Kind, Passage, StageContext, StageError
from cronny.docker import Docker, DockerRules
from tests.servers.docker import Engine
from tests.stages import contexts

SERVING = "trap 'exit 7' TERM; echo up; while :; do sleep 0.1; done"  # until it is told to end
Connection = Mapping[str, object]


def kind_at(engine: Engine, **rules: Any) -> Kind:
    return docker_kind(Docker(engine.host, DockerRules.model_validate({"images": ("box",), **rules})))


def script(text: str, **fields: object) -> dict[str, object]:
    return {"image": "box:1", "command": ["sh", "-c", text], **fields}


def context_of(
    engine: Engine,
    text: str,
    connection: Connection | None = None,
    *,
    note: Callable[[str], None] | None = None,
    passage: Passage | None = None,
    attempt: int = 1,
    timeout: timedelta = contexts.PATIENCE,
    **fields: object,
) -> StageContext[Any, Any]:
    """The context of a script; `note` is given each line of its log."""
    kind = kind_at(engine)
    context = contexts.context(
        kind, script(text, **fields), connection, passage=passage, attempt=attempt, timeout=timeout
    )
    return replace(context, log=note or (lambda _: None))


async def sh(
    engine: Engine,
    text: str,
    connection: Connection | None = None,
    log: list[str] | None = None,
    **fields: object,
) -> Any:
    """The output of a stage, of which nothing is left."""
    passage = Passage()
    try:
        return await contexts.run(
            kind_at(engine), script(text, **fields), connection, log=log, passage=passage
        )
    finally:
        for deed in passage.afterwards:
            await deed()


async def said(engine: Engine, text: str, connection: Connection | None = None, **fields: Any) -> str:
    """What a script writes to its standard output."""
    output = await sh(engine, text, connection, stdout="text", **fields)
    return str(output["stdout"]).removesuffix("\n")


async def sh_failure(
    engine: Engine, text: str, connection: Connection | None = None, **fields: Any
) -> StageError:
    """The error of a stage, of which nothing is left."""
    with pytest.raises(StageError) as caught:
        await sh(engine, text, connection, **fields)
    return caught.value
