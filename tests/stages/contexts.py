"""What a stage is given in tests: a context around its fields, with loopback open."""

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import JsonValue

from activities.stages.kind import Kind, Origin, Passage, StageContext, StageError
from cronny.egress import EgressPolicy

LOOPBACK = EgressPolicy(allow=(ip_network("127.0.0.0/8"),))
PATIENCE = timedelta(seconds=10)


def context(
    kind: Kind,
    with_: Mapping[str, object],
    connection: Mapping[str, object] | None = None,
    *,
    egress: EgressPolicy = LOOPBACK,
    timeout: timedelta = PATIENCE,
    log: list[str] | None = None,
    attempt: int = 1,
    schedule: str = "fetch_orders",
    concealed: list[str] | None = None,
    key: str = "trg_1/fetch",
    passage: Passage | None = None,
) -> StageContext[Any, Any]:
    model = kind.connection_model
    return StageContext(
        with_=kind.with_model.model_validate(with_),
        connection=None if connection is None or model is None else model.model_validate(connection),
        egress=egress,
        idempotency_key=key,
        attempt=attempt,
        timeout=timeout,
        log=(log if log is not None else []).append,
        origin=Origin("acme", "fetch_orders", schedule, trigger_id="trg_1", stage_id="fetch"),
        conceal=(concealed if concealed is not None else []).append,
        passage=passage or Passage(),
    )


async def run(
    kind: Kind, with_: Mapping[str, object], connection: Mapping[str, object] | None = None, **options: Any
) -> Any:
    return await kind.run(context(kind, with_, connection, **options))


async def failure(
    kind: Kind, with_: Mapping[str, object], connection: Mapping[str, object] | None = None, **options: Any
) -> StageError:
    """The error that the stage ends with."""
    with pytest.raises(StageError) as caught:
        await run(kind, with_, connection, **options)
    return caught.value


def brief(error: StageError) -> tuple[str, str, bool]:
    return error.code, error.message, error.retryable


def details(error: StageError) -> dict[str, JsonValue]:
    assert isinstance(error.details, dict)
    return error.details
