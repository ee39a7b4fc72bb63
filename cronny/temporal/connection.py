"""The connection to Temporal, and what Cronny needs to find there."""

import asyncio
import os
from datetime import timedelta

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import GrpcCompression, RPCError, RPCStatusCode

from cronny.errors import Unavailable
from cronny.settings import Settings
from cronny.temporal.devserver import SEARCH_ATTRIBUTES

CALL_TIMEOUT = timedelta(seconds=5)  # of one call made to see whether Temporal is there
RETENTION = timedelta(days=7)  # longer than any catch-up window
LOOPBACK = ("127.", "localhost", "[::1]")


async def connect(settings: Settings) -> Client:
    """A client that connects at its first call, so that it can be made while Temporal is away.

    A worker takes it only after `check` has found it connected.
    """
    target = settings.temporal_target
    near = target.startswith(LOOPBACK)
    try:
        return await Client.connect(
            target,
            namespace=settings.temporal_namespace,
            data_converter=pydantic_data_converter,
            lazy=True,
            grpc_compression=GrpcCompression.NONE if near else GrpcCompression.GZIP,
        )
    except (RuntimeError, ValueError) as error:
        raise Unavailable(f"Temporal at {target}: {error}") from error


async def check(client: Client) -> None:
    """Raises `Unavailable`, with the reason, unless Temporal answers and knows the namespace."""
    target = client.service_client.config.target_host
    await _require_listener(target)
    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        await client.workflow_service.describe_namespace(request, timeout=CALL_TIMEOUT)
    except RPCError as error:
        raise Unavailable(f"Temporal at {target} does not answer: {_reason(error)}") from error
    except RuntimeError as error:  # What a lazy client raises when it cannot connect.
        raise Unavailable(f"Temporal at {target} does not answer as Temporal does: {_line(error)}") from error
    # The SDK refuses a lazy client for workers even when it is connected by now.
    client.service_client.config.lazy = False


async def _require_listener(target: str) -> None:
    """Says in plain words what the SDK says in its own, and before it: its reconnecting outlives the loop."""
    host, _, port = target.rpartition(":")
    try:
        opening = asyncio.open_connection(host.strip("[]"), int(port))
        _, writer = await asyncio.wait_for(opening, CALL_TIMEOUT.total_seconds())
    except TimeoutError as error:
        raise Unavailable(f"Temporal at {target} cannot be reached: no answer in time") from error
    except ValueError as error:
        raise Unavailable(f"Temporal at {target} cannot be reached: it is not HOST:PORT") from error
    except OSError as error:
        raise Unavailable(f"Temporal at {target} cannot be reached: {_os_reason(error)}") from error
    writer.close()


async def ensure_search_attributes(client: Client) -> None:
    """Registers the search attributes that are missing; Temporal keeps those it has."""
    try:
        listing = ListSearchAttributesRequest(namespace=client.namespace)
        known = await client.operator_service.list_search_attributes(listing, timeout=CALL_TIMEOUT)
        missing = [name for name in SEARCH_ATTRIBUTES if name not in known.custom_attributes]
        if missing:
            await client.operator_service.add_search_attributes(
                _request(client, missing), timeout=CALL_TIMEOUT
            )
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:  # Another process was quicker.
            raise Unavailable(f"cannot register the search attributes: {_reason(error)}") from error
    except RuntimeError as error:
        raise Unavailable(f"cannot register the search attributes: {_line(error)}") from error


async def ensure_retention(client: Client) -> None:
    """Lengthens the development server's retention of a day; for a Temporal that is ours alone."""
    config = NamespaceConfig()
    config.workflow_execution_retention_ttl.FromTimedelta(RETENTION)
    request = UpdateNamespaceRequest(namespace=client.namespace, config=config)
    try:
        await client.workflow_service.update_namespace(request, timeout=CALL_TIMEOUT)
    except RPCError as error:
        raise Unavailable(f"cannot set Temporal's retention: {_reason(error)}") from error


def _request(client: Client, names: list[str]) -> AddSearchAttributesRequest:
    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    return AddSearchAttributesRequest(
        namespace=client.namespace, search_attributes=dict.fromkeys(names, keyword)
    )


def _os_reason(error: OSError) -> str:
    number = error.errno or 0
    return (os.strerror(number) if number > 0 else error.strerror or _line(error)).lower()


def _reason(error: RPCError) -> str:
    return f"{error.status.name.lower().replace('_', ' ')} ({_line(error)})"


def _line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
