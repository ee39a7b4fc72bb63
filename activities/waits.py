"""Looking after stages that wait: what they wait for is opened once, answered elsewhere, and closed once."""

from dataclasses import dataclass
from datetime import datetime

from temporalio import activity

from activities.children import Child, add_child, cancel_child, load_child, start_child
from activities.early import EARLY_EVENTS, early_edges, foretell, hint_of
from activities.masking import Masker
from activities.runtime import Runtime
from activities.scope import Sight
from activities.stages.kind import StageError
from activities.stages.request import Answer, Request
from cronny.links import wait_token
from cronny.names import new_id
from cronny.secrets import hash_key
from cronny.store.database import Session
from cronny.store.events import ENGINE
from cronny.store.persist import persist
from cronny.store.tables import EventKind, TriggerRow
from cronny.store.wait_tables import WaitRow
from cronny.store.waits import (
    Mark,
    WaitKey,
    close_wait,
    find_wait,
    last_wait,
    lock_wait,
    note_wait,
    save_wait,
)
from dsl.action import Stage
from workflows.messages import StageResult


@dataclass(frozen=True)
class Wish:
    """One attempt of a stage that waits."""

    trigger: TriggerRow
    stage: Stage
    key: WaitKey
    attempt: int
    request: Request
    sight: Sight
    masker: Masker
    deadline: datetime  #: Of the stage, whatever it waits for.


class Waits:
    """The waits of a worker's stages."""

    def __init__(self, runtime: Runtime) -> None:
        self._parts = runtime.parts
        self._blobs = runtime.blobs

    async def look(self, wish: Wish) -> StageResult | Answer:
        """How a wait stands, opened if it is not yet; raises StageError if it cannot be."""
        row = await self._find(wish) or await self._open(wish)
        try:
            return await self._standing(wish, row)
        except StageError:
            await self._close(row)
            raise

    async def abandon(self, key: WaitKey) -> None:
        """Close what a stage waits for, and end what it has started."""
        async with self._parts.database.read() as session:
            row = await last_wait(session, key)
        if row is not None:
            await self._close(row)

    async def _find(self, wish: Wish) -> WaitRow | None:
        async with self._parts.database.for_tenant(wish.trigger.tenant_id).read() as session:
            return await find_wait(session, wish.key, wish.attempt)

    async def _open(self, wish: Wish) -> WaitRow:
        fresh = self._fresh(wish)
        edges = early_edges(wish.sight, wish.stage.id, ("waiting",))

        async def write(session: Session) -> WaitRow:
            present = await find_wait(session, wish.key, wish.attempt)
            if present is not None:
                return present
            if wish.request.call is not None:
                child = await add_child(session, wish.trigger, wish.request.call, fresh.opened_at)
                fresh.child_id = child.id
                fresh.answered_at = None if wish.request.call.is_awaited else fresh.opened_at
            await save_wait(session, fresh)
            if fresh.kind == "approval":
                await note_wait(session, fresh, Mark(EventKind.APPROVAL_REQUESTED, ENGINE, fresh.opened_at))
            return fresh

        self._require_no_secret(wish)
        fresh.fired = list(
            await foretell(self._parts.evaluator, wish.sight, edges, hint_of(self._parts, fresh))
        )
        return await persist(self._parts.database.for_tenant(fresh.tenant_id), write)

    def _fresh(self, wish: Wish) -> WaitRow:
        now, request, keyring = self._parts.clock(), wish.request, self._parts.keyring
        until = min(now + wish.stage.timeout, wish.deadline)
        row = WaitRow(
            id=new_id("wat", now), tenant_id=wish.trigger.tenant_id, trigger_id=wish.trigger.id,
            stage_id=wish.key.stage_id, item=wish.key.item, attempt=wish.attempt, kind=wish.stage.uses,
            workflow_id=activity.info().workflow_id or wish.trigger.workflow_id,
            message=wish.masker.text(request.message), approvers=list(request.approvers),
            needed=request.needed, opened_at=now, due_at=request.until,
            until=min(until, request.until or until),
            remind_at=None if request.remind_after is None else now + request.remind_after, answers=None,
        )  # fmt: skip
        if request.is_hook or row.approvers:
            row.key_id = keyring.newest  # It is not dropped while the wait is open.
        if request.is_hook:
            row.digest = hash_key(wait_token(keyring, row.id, row.key_id))
        return row

    def _require_no_secret(self, wish: Wish) -> None:
        # The ledger would keep a link that only its approver must know.
        call = wish.request.call
        if call is not None and wish.masker.value(call.inputs) != call.inputs:
            text = "a secret or a link cannot be handed to another action, whose record would show it"
            raise StageError("validation", text, retryable=False)

    async def _standing(self, wish: Wish, row: WaitRow) -> StageResult | Answer:
        now, child = self._parts.clock(), await self._child(row)
        is_answered = row.answered_at is not None or (child is not None and child.has_ended)
        if is_answered or now >= row.until or row.closed_at is not None:
            return await self._ended(row, child)
        if row.remind_at is not None and row.reminded_at is None and now >= row.remind_at:
            row = await self._remind(wish, row, now)
        return self._waiting(wish, row)

    async def _child(self, row: WaitRow) -> Child | None:
        if not row.child_id:
            return None
        async with self._parts.database.for_tenant(row.tenant_id).read() as session:
            child = await load_child(session, row.child_id)
        if child is not None:
            await start_child(child, self._parts.clock())
        return child

    async def _ended(self, row: WaitRow, child: Child | None) -> Answer:
        closed = await self._closed(row)  # an answer may have come at this moment
        at = closed.answered_at or closed.closed_at or closed.until
        if child is not None:
            is_late = closed.answered_at is None and not child.has_ended
            if is_late:
                await cancel_child(self._parts, closed)
            return Answer(at, is_late, child.told(await self._blobs.outputs_of(child.row)))
        is_due = closed.due_at is not None and closed.due_at <= closed.until
        return Answer(at, closed.answered_at is None and not is_due, closed.answers)

    async def _remind(self, wish: Wish, row: WaitRow, now: datetime) -> WaitRow:
        edges = early_edges(wish.sight, wish.stage.id, ("reminder",))
        fired = await foretell(self._parts.evaluator, wish.sight, edges, hint_of(self._parts, row))

        async def write(session: Session) -> WaitRow:
            present = await lock_wait(session, row.id)
            if present.reminded_at is None:
                present.reminded_at = now
                present.fired = [*_indexes(present), *fired]
            return present

        return await persist(self._parts.database.for_tenant(row.tenant_id), write)

    def _waiting(self, wish: Wish, row: WaitRow) -> StageResult:
        is_reminding = row.remind_at is not None and row.reminded_at is None
        events = EARLY_EVENTS if row.reminded_at is not None else ("waiting",)
        return StageResult(
            status="waiting",
            early=tuple(edge.index for edge in early_edges(wish.sight, wish.stage.id, tuple(events))),
            fired=_indexes(row),
            wake=min(row.until, row.remind_at) if is_reminding and row.remind_at is not None else row.until,
        )

    async def _close(self, row: WaitRow) -> None:
        closed = await self._closed(row)
        if closed.answered_at is None:  # One that was not waited for goes on by itself.
            await cancel_child(self._parts, closed)

    async def _closed(self, row: WaitRow) -> WaitRow:
        database, clock = self._parts.database.for_tenant(row.tenant_id), self._parts.clock
        return await persist(database, lambda session: close_wait(session, row.id, clock()))


def _indexes(row: WaitRow) -> tuple[int, ...]:
    return tuple(one for one in row.fired if isinstance(one, int)) if isinstance(row.fired, list) else ()
