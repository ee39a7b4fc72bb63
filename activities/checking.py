"""The activity that tests a connection."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from traceback import format_exception
from typing import Any

from pydantic import JsonValue
from temporalio import activity

from activities.advice import advised
from activities.masking import Masker
from activities.resolving import Access, open_connection
from activities.runtime import Runtime
from activities.stages.kind import ConnectionContext, Kind, StageError
from cronny.names import instant_text
from cronny.store.connections import Connections
from cronny.store.row_security import narrow
from cronny.store.tables import ConnectionRow
from cronny.store.tenants import Tenants
from dsl.durations import format_duration
from workflows.messages import CheckCall

LIMIT = timedelta(seconds=10)  # for a server that does not answer
LONGEST = 1000  # characters of a message
SAID = 750  # of them, what was said may take; the rest is for what to do

log = logging.getLogger("activities.checking")


class Checker:
    """Implements the port `check_connection`."""

    def __init__(self, runtime: Runtime) -> None:
        self._parts = runtime.parts

    @activity.defn(name="check_connection")
    async def check_connection(self, call: CheckCall) -> None:
        """Test a connection, and write down what came of it."""
        async with self._parts.database.read() as session:
            tenant = await Tenants(session).find(call.tenant)
            if tenant is None:
                return
            await narrow(session, tenant.id)
            row = await Connections(session, tenant.id).by_id(call.connection_id)
        kind = self._parts.kinds.get(row.kind)
        if kind is None or kind.connection_model is None or kind.check_connection is None:
            return
        begun = self._parts.clock()
        code, message = await self._result(kind, row, tenant.slug)
        elapsed = self._parts.clock() - begun
        checked: dict[str, JsonValue] = {
            "at": instant_text(begun),
            "ok": not code,
            "code": code,
            "message": message[:LONGEST],
            "elapsed_ms": round(elapsed / timedelta(milliseconds=1)),
            "revision": row.revision,
        }
        async with self._parts.database.for_tenant(tenant.id).write() as session:
            await Connections(session, tenant.id).note_check(row.id, checked)

    async def _result(self, kind: Kind, row: ConnectionRow, tenant: str) -> tuple[str, str]:
        """The code of an error, if there is one, and a sentence without secrets."""
        opened, concealed = Access(), list[str]()
        try:
            assert kind.connection_model is not None  # noqa: S101 - the caller has looked
            opened = open_connection(self._parts, kind.connection_model, row)
            context = ConnectionContext(
                opened.connection, self._parts.egress.of(tenant), LIMIT, concealed.append, tenant
            )
            message = await _checked(kind, context)
            return "", _masked(message, opened, concealed)
        except StageError as error:
            return error.code, advised(error.code, _masked(error.message, opened, concealed)[:SAID])
        except TimeoutError:
            return "timeout", advised("timeout", f"no answer within {format_duration(LIMIT)}")
        except Exception as error:  # a mistake of ours, which is to be told, not to be retried
            trace = _masked("".join(format_exception(error)), opened, concealed)
            log.error("a test of a connection failed", extra={"kind": kind.name, "trace": trace})
            return "internal", f"{kind.name}: {type(error).__name__}"


async def _checked(kind: Kind, context: ConnectionContext[Any]) -> str:
    assert kind.check_connection is not None  # noqa: S101 - the caller has looked
    async with asyncio.timeout(LIMIT.total_seconds()):
        return await kind.check_connection(context)


def _masked(text: str, opened: Access, concealed: Sequence[str]) -> str:
    return Masker((*opened.hidden, *concealed)).text(text)
