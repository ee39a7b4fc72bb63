"""The claim: the one write that moves a trigger from `scheduled` to `executing`.

Most claims need their own row only, and many of them are one statement. A row that is guarded, or whose
tenant may execute so many triggers only, is left to `cronny.store.guarded`, which looks at others, too.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from cronny.scheduling.places import OnLimit
from cronny.store.columns import from_micros, to_micros
from cronny.store.tables import TriggerState

# Claims in one statement, 25 ms a thousand. Who is answered first delays the others far more than that: with
# what its stages do, and the records and reports of their ends.
CLAIM_CHUNK = 10_000


@dataclass(frozen=True)
class Place:
    """How many triggers of an action, of the same key, may execute at once, and what one too many does."""

    limit: int
    key: str
    on_limit: OnLimit


@dataclass(frozen=True)
class Claim:
    """A workflow run's wish to execute a trigger allocated under `generation`, and its first stage."""

    trigger_id: str
    generation: int
    run_id: str
    stage_id: str
    place: Place | None = None  #: Of an action whose triggers are limited; others of it are looked at.


class VerdictKind(StrEnum):
    """What a claim answers."""

    RUN = "run"  #: The trigger is this run's.
    SKIP = "skip"  #: It is not to happen: this claim has settled it, for the reason in the ledger.
    QUEUE = "queue"  #: Others go first; ask again when one of them has ended.
    EARLY = "early"  #: Its planned instant has not come; a clock may have been stepped back.
    GUARDED = "guarded"  #: More than its own row decides.
    UNCLAIMED = "unclaimed"  #: The ledger has settled it, or another run has it: do nothing.


@dataclass(frozen=True)
class Execution:
    """A workflow run that executes a trigger."""

    workflow_id: str
    run_id: str


@dataclass(frozen=True)
class Verdict:
    """Whether the run may execute the trigger, and if not, what the ledger says of it."""

    kind: VerdictKind
    state: str
    reason: str
    planned: datetime | None = None  #: When to claim it again, of one that is early.
    cancel: tuple[Execution, ...] = ()  #: What a queued one asks to end.
    kill: tuple[Execution, ...] = ()  #: What is settled already and is to be terminated.
    release: tuple[str, ...] = ()  #: Workflows that may go, as this one or others for its sake do not.

    @property
    def may_run(self) -> bool:
        """Whether to execute the trigger."""
        return self.kind is VerdictKind.RUN


# Rows are locked in the order of their ids, as a pause locks them: no two transactions block each other.
# The empty text keeps PostgreSQL from the index on state: it would join every scheduled row with every claim.
_POSTGRES_CLAIM = """
with locked as (
    select trigger.id, claim.run
    from unnest(cast(:ids as text[]), cast(:generations as int[]), cast(:runs as text[]))
        as claim(id, generation, run)
    join trigger on trigger.id = claim.id and trigger.generation = claim.generation
    left join tenant on tenant.id = trigger.tenant_id
    where trigger.state || '' = 'scheduled' and trigger.planned <= :now and not trigger.is_guarded
        and tenant.limit_running_triggers is null
    order by trigger.id for no key update of trigger
)
update trigger set state = 'executing', run_id = locked.run, started_at = :now
from locked where trigger.id = locked.id and trigger.state || '' = 'scheduled'
"""

# The plus keeps SQLite from the index on state: it would walk all scheduled rows for each claim.
_SQLITE_CLAIM = """
update "trigger" set state = 'executing', run_id = claim.run, started_at = :now
from (select value ->> 0 as id, value ->> 1 as generation, value ->> 2 as run from json_each(:claims))
    as claim
where "trigger".id = claim.id and "trigger".generation = claim.generation
    and +"trigger".state = 'scheduled' and "trigger".planned <= :now and not "trigger".is_guarded
    and not exists (
        select 1 from tenant
        where tenant.id = "trigger".tenant_id and tenant.limit_running_triggers is not null
    )
"""

# A retried attempt, or another root stage, of the run that made the claim passes again.
_POSTGRES_READ = """
select t.id, t.state, t.reason, t.run_id, t.generation, t.planned, t.complete_on,
    (t.is_guarded or tenant.limit_running_triggers is not null) as is_guarded
from trigger as t left join tenant on tenant.id = t.tenant_id
where t.id = any(cast(:ids as text[]))
"""
_SQLITE_READ = """
select t.id, t.state, t.reason, t.run_id, t.generation, t.planned, t.complete_on,
    (t.is_guarded or tenant.limit_running_triggers is not null) as is_guarded
from "trigger" as t left join tenant on tenant.id = t.tenant_id
where t.id in (select value from json_each(:ids))
"""

# The setting rides along: one more statement would take longer than what it saves.
_UNHURRIED = ", set_config('synchronous_commit', 'off', true)"
_POSTGRES_START = """
insert into stage_record (trigger_id, stage_id, state, attempt, started_at, log)
select trigger_id, stage_id, 'started', 1, :now, ''
from unnest(cast(:ids as text[]), cast(:stages as text[])) as claim(trigger_id, stage_id){also}
on conflict (trigger_id, stage_id) do nothing
"""

_SQLITE_START = """
insert into stage_record (trigger_id, stage_id, state, attempt, started_at, log)
select value ->> 0, value ->> 1, 'started', 1, :now, '' from json_each(:starts) where true
on conflict (trigger_id, stage_id) do nothing
"""


async def claim(session: AsyncSession, claims: Sequence[Claim], now: datetime) -> list[Verdict]:
    """Claim triggers for runs and write their first stages as started; verdicts in order.

    A trigger that is not due at `now` stays as it is, whatever its holder's clock said.
    """
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    micros = to_micros(now)
    ids = [wish.trigger_id for wish in claims]
    if is_sqlite:
        rows = json.dumps([[wish.trigger_id, wish.generation, wish.run_id] for wish in claims])
        await session.execute(text(_SQLITE_CLAIM), {"claims": rows, "now": micros})
        found = await session.execute(text(_SQLITE_READ), {"ids": json.dumps(ids)})
    else:
        columns = {
            "generations": [wish.generation for wish in claims],
            "runs": [wish.run_id for wish in claims],
        }
        await session.execute(text(_POSTGRES_CLAIM), {"ids": ids, "now": micros, **columns})
        found = await session.execute(text(_POSTGRES_READ), {"ids": ids})
    known = {row.id: row for row in found}
    verdicts = [_verdict(known.get(wish.trigger_id), wish, micros) for wish in claims]
    await start_claimed(session, claims, verdicts, now)
    return verdicts


async def start_claimed(
    session: AsyncSession, claims: Sequence[Claim], verdicts: Sequence[Verdict], now: datetime
) -> None:
    """Write the first stages of the claims that may run as started."""
    starts = [
        (wish.trigger_id, wish.stage_id)
        for wish, verdict in zip(claims, verdicts, strict=True)
        if verdict.may_run and wish.stage_id
    ]
    await start_stages(session, starts, now)


async def start_stages(
    session: AsyncSession, stages: Sequence[tuple[str, str]], now: datetime, *, is_lasting: bool = True
) -> None:
    """Write the record of each (trigger id, stage id) as started, unless there is one.

    PostgreSQL does not wait for the disk with a transaction that need not be lasting.
    """
    if not stages:
        return
    if session.get_bind().dialect.name == "sqlite":
        starts = {"starts": json.dumps(stages), "now": to_micros(now)}
        await session.execute(text(_SQLITE_START), starts)
        return
    columns = {"ids": [trigger for trigger, _ in stages], "stages": [stage for _, stage in stages]}
    statement = _POSTGRES_START.format(also="" if is_lasting else _UNHURRIED)
    await session.execute(text(statement), {**columns, "now": to_micros(now)})


def settled(state: str, reason: str) -> Verdict:
    """The answer to a run that has no part in the trigger."""
    return Verdict(VerdictKind.UNCLAIMED, state, reason)


def is_of_run(wish: Claim, state: str, run_id: str, complete_on: str) -> bool:
    """Whether the run has claimed the trigger before; one that completes on start is completed by then."""
    is_open = state == TriggerState.EXECUTING or (state == TriggerState.COMPLETED and complete_on == "start")
    return is_open and run_id == wish.run_id


def _verdict(row: Row[Any] | None, wish: Claim, now: int) -> Verdict:
    if row is None:
        return settled("", "unknown_trigger")
    state, reason = str(row.state), str(row.reason)
    if row.generation != wish.generation:
        return settled(state, reason)
    if is_of_run(wish, state, row.run_id, row.complete_on):
        return Verdict(VerdictKind.RUN, state, reason)
    if state != TriggerState.SCHEDULED:
        return settled(state, reason)
    if row.planned > now:
        return Verdict(VerdictKind.EARLY, state, reason, planned=from_micros(row.planned))
    return Verdict(VerdictKind.GUARDED, state, reason) if row.is_guarded else settled(state, reason)
