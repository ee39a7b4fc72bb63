"""A database of each kind of SQL, for what holds for both."""

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from activities.stages.kind import Kind, StageError
from activities.stages.mysql import MYSQL
from activities.stages.postgres import POSTGRES
from tests.servers import mariadb
from tests.stages import contexts


def settings_of(url: str) -> dict[str, object]:
    """What a stage's connection to a PostgreSQL of the tests needs."""
    parts = urlsplit(url)
    return {
        "host": parts.hostname,
        "port": parts.port,
        "database": parts.path[1:],
        "user": parts.username,
        "tls": "disable",
    }


@dataclass(frozen=True)
class Database:
    """A database with another client than a stage's beside it; statements are written with `?`."""

    kind: Kind
    connection: Mapping[str, object]
    execute: Callable[..., list[tuple[Any, ...]]]
    sleep: str  #: A query that lasts.
    sleeping: str  #: How many queries of stages last at the moment.
    many: str  #: A query of very many rows of one column `n`.

    async def run(self, **fields: Any) -> Any:
        return await contexts.run(self.kind, self._written(fields), self.connection)

    async def failure(self, **fields: Any) -> StageError:
        return await contexts.failure(self.kind, self._written(fields), self.connection)

    async def running(self) -> int:
        """How many queries of stages the server still executes."""
        return int((await asyncio.to_thread(self.execute, self.sleeping))[0][0])

    def orders(self) -> list[list[Any]]:
        return [list(row) for row in self.execute("select id, total from orders order by id")]

    def _written(self, fields: dict[str, Any]) -> dict[str, Any]:
        if self.kind is MYSQL:
            return fields
        if "statements" in fields:
            return {**fields, "statements": [self._written(each) for each in fields["statements"]]}
        numbers = iter(range(1, 1000))
        return {**fields, "sql": re.sub(r"\?", lambda _: f"${next(numbers)}", fields["sql"])}


def of_mariadb(server: mariadb.Server) -> Database:
    return Database(
        kind=MYSQL,
        connection=server.settings(),
        execute=lambda *statements: server.execute("use stages", *statements),
        sleep="select sleep(600) as n",
        sleeping="select count(*) from information_schema.processlist where info like 'select sleep(600)%'",
        many="select seq as n from seq_1_to_1000000000",
    )


def of_postgres(url: str) -> Database:
    async def execute(statements: tuple[str, ...]) -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return [tuple(row) for row in await connection.fetch(statements[-1])]
        finally:
            await connection.close()

    def apart(*statements: str) -> list[tuple[Any, ...]]:
        return _in_thread(execute(statements))

    return Database(
        kind=POSTGRES,
        connection=settings_of(url),
        execute=apart,
        sleep="select pg_sleep(600)::text as n",
        sleeping="select count(*) from pg_stat_activity where wait_event = 'PgSleep'",
        many="select generate_series(1, 1000000000) as n",
    )


def _in_thread(coroutine: Coroutine[Any, Any, list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    """The result of a coroutine, awaited in a loop of its own beside one that may run."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
