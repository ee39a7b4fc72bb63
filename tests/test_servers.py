import asyncpg
import pytest
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest

from cronny.errors import Unavailable
from cronny.settings import Settings
from cronny.temporal.connection import check, connect, ensure_search_attributes
from cronny.temporal.devserver import SEARCH_ATTRIBUTES


async def test_a_fresh_database_is_empty(fresh_postgres: str) -> None:
    connection = await asyncpg.connect(fresh_postgres)
    tables = await connection.fetchval("select count(*) from pg_tables where schemaname = 'public'")
    await connection.close()
    assert tables == 0


async def test_search_attributes_can_be_ensured_again(temporal: str) -> None:
    client = await connect(Settings(temporal_address=temporal))
    await check(client)
    await ensure_search_attributes(client)
    await ensure_search_attributes(client)
    listing = ListSearchAttributesRequest(namespace="default")
    known = await client.operator_service.list_search_attributes(listing)
    assert set(SEARCH_ATTRIBUTES) <= set(known.custom_attributes)


async def test_an_unreachable_temporal_is_said_in_one_line() -> None:
    client = await connect(Settings(temporal_address="127.0.0.1:1"))
    with pytest.raises(Unavailable, match=r"^Temporal at 127.0.0.1:1 cannot be reached: connection refused$"):
        await check(client)
