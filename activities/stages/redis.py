"""The kind `redis`: one command, several at once, or a search for keys.

The protocol is spoken here and not by redis-py: that resolves names and connects by itself, reads answers of
any size, tells errors apart by their texts, and sends commands of its own (CLIENT, HELLO).
"""

import asyncio
import json
from base64 import b64decode
from collections.abc import Sequence
from itertools import islice
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue, model_validator

from activities.stages.kind import Block, Kind, StageContext, StageError
from activities.stages.redis_check import check_connection
from activities.stages.redis_commands import refusal_of
from activities.stages.redis_connection import RedisConnection, Session, connected
from activities.stages.redis_errors import no_connection, refused
from activities.stages.redis_protocol import NotRedis, Refusal, Reply
from activities.stages.redis_results import result
from cronny.errors import EgressDenied

MOST_COMMANDS = 1000
SCANNED = 1000  # keys that the server looks at before it serves somebody else


def _let_through(command: list[JsonValue]) -> list[JsonValue]:
    if problem := refusal_of(command):
        raise ValueError(problem)
    for number, value in enumerate(command[1:], 1):
        if value is None:
            raise ValueError(f"value {number} of {command[0]} is null; every value must be something")
    return command


Command = Annotated[list[JsonValue], AfterValidator(_let_through)]


class RedisScan(Block):
    """Which keys to look for."""

    match: str = Field("*", min_length=1, description="A pattern, such as `orders:*`.")
    type: str | None = Field(None, description="Only keys of this type, such as `hash`.")
    limit: int = Field(1000, ge=1, le=100_000, description="How many keys to give at most.")


class RedisWith(Block):
    """The `with:` block of `redis`."""

    command: Command | None = Field(
        None,
        description="One command: its name, then its values, each as it is. A mapping `{base64: …}` "
        "stands for bytes; another mapping or a list is sent as JSON.",
    )
    commands: Annotated[list[Command], Field(min_length=1, max_length=MOST_COMMANDS)] | None = Field(
        None, description="Several commands, sent together, 1000 at most."
    )
    atomic: bool = Field(
        False, description="Execute `commands` with nobody else's between them (MULTI and EXEC)."
    )
    scan: RedisScan | None = Field(
        None, description="Look for keys, without blocking the server: `match`, `type`, `limit`."
    )
    parse_json: bool = Field(False, description="Read texts of the answer that are JSON as JSON.")
    max_bytes: int = Field(1_000_000, ge=0, le=16_000_000, description="A larger answer is an error.")

    @model_validator(mode="after")
    def _is_one(self) -> "RedisWith":
        if len(self.model_fields_set & {"command", "commands", "scan"}) != 1:
            raise ValueError("give one of command, commands and scan")
        if self.atomic and self.commands is None:
            raise ValueError("atomic is for commands; one command is atomic by itself")
        return self


Context = StageContext[RedisWith, RedisConnection]


async def run(context: Context) -> JsonValue:
    """The `result` of the command, the `results` of commands, or the `keys` that were found."""
    fields, connection = context.with_, context.connection
    try:
        async with (
            asyncio.timeout(context.timeout.total_seconds()),
            connected(connection, context.egress, fields.max_bytes) as session,
        ):
            if fields.scan is not None:
                return await _scan(session, fields.scan)
            output = await _execute(session, fields)
    except (OSError, NotRedis, EgressDenied) as error:
        raise no_connection(error, connection.host) from error
    context.log(f"{len(fields.commands or [fields.command])} commands")
    return output


async def _execute(session: Session, fields: RedisWith) -> JsonValue:
    if fields.command is not None:
        command = _arguments(fields.command)
        (reply,) = await session.send([command])
        if isinstance(reply, Refusal):
            raise refused(_name(command), reply, {})
        return {"result": result(command, reply, as_json=fields.parse_json)}
    commands = [_arguments(command) for command in fields.commands or []]
    replies = await (_together(session, commands) if fields.atomic else session.send(commands))
    results: list[JsonValue] = [
        result(command, reply, as_json=fields.parse_json)
        for command, reply in zip(commands, replies, strict=True)
    ]
    for index, (command, reply) in enumerate(zip(commands, replies, strict=True)):
        if isinstance(reply, Refusal):  # The others were executed nevertheless, which `results` shows.
            raise refused(f"commands.{index} ({_name(command)})", reply, {"index": index, "results": results})
    return {"results": results}


async def _together(session: Session, commands: Sequence[Sequence[bytes]]) -> list[Reply]:
    """The replies to commands that nobody else's come between; raises StageError if none was executed."""
    _, *queued, executed = await session.send([[b"MULTI"], *commands, [b"EXEC"]])
    if isinstance(executed, list) and len(executed) == len(commands):
        return executed
    for index, (command, reply) in enumerate(zip(commands, queued, strict=True)):
        if isinstance(reply, Refusal):
            where = f"commands.{index} ({_name(command)})"
            raise refused(where, reply, {"index": index, "results": []})
    if isinstance(executed, Refusal):
        raise refused("EXEC", executed, {"results": []})
    raise NotRedis


async def _scan(session: Session, wanted: RedisScan) -> JsonValue:
    of_type = [b"TYPE", wanted.type.encode()] if wanted.type else []
    cursor, found = b"0", dict[bytes, None]()  # A key may come twice, and keeps its first place.
    while len(found) <= wanted.limit:
        command = [b"SCAN", cursor, b"MATCH", wanted.match.encode(), b"COUNT", b"%d" % SCANNED, *of_type]
        (reply,) = await session.send([command])
        match reply:
            case [bytes(cursor), list(page)]:
                found |= dict.fromkeys(key for key in page if isinstance(key, bytes))
            case Refusal():
                raise refused("SCAN", reply, {})
            case _:
                raise NotRedis
        if cursor == b"0":
            break
    keys: list[Reply] = [*islice(found, wanted.limit)]
    return {
        "keys": result([b"SCAN"], keys, as_json=False),
        "is_complete": cursor == b"0" and len(found) <= wanted.limit,
    }


def _name(command: Sequence[bytes]) -> str:
    return command[0].decode().upper()


def _arguments(command: Sequence[JsonValue]) -> list[bytes]:
    try:
        return [_argument(value) for value in command]
    except ValueError as error:  # Characters that UTF-8 has none for, or base64 that is none.
        raise StageError("validation", f"{command[0]}: {error}", retryable=False) from error


def _argument(value: JsonValue) -> bytes:
    match value:
        case str():
            return value.encode()
        case {"base64": str(text), **others} if not others:
            return b64decode(text, validate=True)
        case bool() | dict() | list():
            return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return str(value).encode()


REDIS = Kind(
    name="redis",
    with_model=RedisWith,
    connection="required",
    is_pure=False,
    connection_model=RedisConnection,
    run=run,
    check_connection=check_connection,
    summary="Reads and writes keys of a Redis server.",
    example="""\
id: remember
uses: redis
connection: cache
with:
  commands:
    - [HSET, "orders:last", day, "${{ trigger.due }}"]
    - [EXPIRE, "orders:last", 86400]
  atomic: true
""",
)
