"""The tables of types in docs/sql.md, row by row."""

import json
import re
from collections.abc import Iterator

import pytest
from pydantic import JsonValue

from activities.stages.mysql import MYSQL
from activities.stages.postgres import POSTGRES
from tests.servers import mariadb
from tests.stages.contexts import run
from tests.stages.databases import settings_of
from tools.docs.generated import DOCS

_ROW = re.compile(r"\|.*\|.*\| `(.+)` \| `(.+)` \|")


def rows(heading: str) -> Iterator[tuple[str, JsonValue]]:
    """What the table below a heading says: an expression of SQL, and its value."""
    section = (DOCS / "sql.md").read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    for line in section.splitlines():
        if found := _ROW.fullmatch(line):
            yield found[1], json.loads(found[2])


@pytest.mark.parametrize(("sql", "value"), list(rows("Types of PostgreSQL")))
async def test_types_of_postgresql(postgres_url: str, sql: str, value: JsonValue) -> None:
    output = await run(POSTGRES, {"sql": f"select {sql} as v"}, settings_of(postgres_url))
    assert output["rows"] == [{"v": value}]


@pytest.mark.parametrize(("sql", "value"), list(rows("Types of MySQL")))
async def test_types_of_mysql(mysql_server: mariadb.Server, sql: str, value: JsonValue) -> None:
    output = await run(MYSQL, {"sql": f"select {sql} as v"}, mysql_server.settings())
    assert output["rows"] == [{"v": value}]
