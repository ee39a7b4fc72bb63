"""The test of a `redis` connection: whether the server lets its user in, and answers."""

import asyncio
from collections.abc import Mapping

from activities.stages.kind import ConnectionContext, StageError
from activities.stages.redis_connection import RedisConnection, connected
from activities.stages.redis_errors import no_connection, refused
from activities.stages.redis_protocol import NotRedis, Refusal, Reply
from cronny.errors import EgressDenied

ANSWER_LIMIT = 100_000  # bytes; what a server says about itself has some two thousand.
VERSION_LIMIT = 40  # characters


async def check_connection(context: ConnectionContext[RedisConnection]) -> str:
    """Log in, choose the database, and ask the server for its version, which not every user is told."""
    settings = context.connection
    try:
        async with (
            asyncio.timeout(context.timeout.total_seconds()),
            connected(settings, context.egress, ANSWER_LIMIT) as session,
        ):
            pong, about = await session.send([[b"PING"], [b"INFO", b"server"]])
    except (OSError, NotRedis, EgressDenied) as error:
        raise no_connection(error, settings.host) from error
    if isinstance(pong, Refusal) and pong.code != "NOPERM":
        raise refused("PING", pong, {})
    known = _fields(about)
    if known.get("redis_mode") == "cluster":
        message = f"{settings.host} is part of a cluster; connect to a proxy of it, or to a server of its own"
        raise StageError("validation", message, retryable=False)
    return f"{_product(known)} lets {settings.user or 'the default user'} in"


def _fields(about: Reply) -> Mapping[str, str]:
    if not isinstance(about, bytes):
        return {}
    lines = about.decode(errors="replace").splitlines()
    return {name: value for name, colon, value in (line.partition(":") for line in lines) if colon}


def _product(known: Mapping[str, str]) -> str:
    for field, name in (("valkey_version", "Valkey"), ("redis_version", "Redis")):
        if field in known:
            return f"{name} {known[field][:VERSION_LIMIT]}"
    return "the server"
