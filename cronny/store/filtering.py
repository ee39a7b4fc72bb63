"""Which rows of the ledger to list, said so that both databases find them through the narrowest index.

Most rows are completed fires: what asks for others finds them through a partial index. A column that is
concatenated with nothing, or compared in a case, keeps the database from an index that begins with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, case, false, select, text, true
from sqlalchemy.sql.elements import TextClause
from sqlmodel import col

from cronny.store.tables import (
    HAS_REASON,
    IS_BY_HAND,
    IS_RARE,
    ActionRow,
    ScheduleRow,
    Tenant,
    TriggerRow,
    TriggerState,
)

Condition = ColumnElement[bool] | TextClause

UNSETTLED = {TriggerState.SCHEDULED, TriggerState.EXECUTING}
RARE = {TriggerState.FAILED, TriggerState.CANCELLED, TriggerState.SKIPPED, TriggerState.MISSED}


@dataclass(frozen=True)
class Filter:
    """Which ledger rows to list."""

    schedule: str | None = None
    action: str | None = None
    states: tuple[TriggerState, ...] = ()
    reason: str | None = None
    since: datetime | None = None  #: Due at or after.
    until: datetime | None = None  #: Due before.
    is_by_hand: bool | None = None

    @property
    def is_unsettled(self) -> bool:
        """Whether only rows are wanted that are not settled yet."""
        return bool(self.states) and UNSETTLED.issuperset(self.states)

    @property
    def is_rare(self) -> bool:
        """Whether only rows are wanted that ended otherwise than completed."""
        return bool(self.states) and RARE.issuperset(self.states)


def conditions(wanted: Filter, tenant: Tenant) -> Iterator[Condition]:
    """What holds for the wanted rows of a tenant."""
    yield _is_of(tenant, is_aside=not _by_tenant(wanted))
    yield from _of_names(wanted, tenant)
    yield from _of_states(wanted)
    if wanted.reason is not None:
        yield col(TriggerRow.reason) == wanted.reason
        yield from [_known(HAS_REASON)] if wanted.reason else []
    if wanted.is_by_hand is not None:
        yield _known(IS_BY_HAND) if wanted.is_by_hand else col(TriggerRow.generation) > 0
    if wanted.since is not None:
        yield col(TriggerRow.due) >= wanted.since
    if wanted.until is not None:
        yield col(TriggerRow.due) < wanted.until


def _is_of(tenant: Tenant, is_aside: bool) -> ColumnElement[bool]:
    is_own = col(TriggerRow.tenant_id) == tenant.id
    # PostgreSQL supposes that half of all cases are true, but one in 200 of texts it knows nothing of equal.
    return case((is_own, true()), else_=false()) if is_aside else is_own


def _by_tenant(wanted: Filter) -> bool:
    """Whether an index that begins with the tenant is the narrowest."""
    if wanted.is_unsettled:
        return False
    if wanted.reason or wanted.is_by_hand:
        return True
    return wanted.schedule is None and (wanted.action is None or wanted.is_rare)


def _of_names(wanted: Filter, tenant: Tenant) -> Iterator[Condition]:
    # By its id, not by the joined name: a rare schedule's rows are then found through their index.
    is_aside = wanted.is_unsettled or bool(wanted.reason or wanted.is_by_hand)
    if wanted.schedule is not None:
        column = _column("schedule_id", is_aside)
        yield column == _id_of(ScheduleRow, wanted.schedule, tenant)
    if wanted.action is not None:
        column = _column("action_id", is_aside or wanted.is_rare or wanted.schedule is not None)
        yield column == _id_of(ActionRow, wanted.action, tenant)


def _of_states(wanted: Filter) -> Iterator[Condition]:
    if len(wanted.states) == 1:
        yield col(TriggerRow.state) == wanted.states[0]
    elif wanted.states:
        yield col(TriggerRow.state).in_(wanted.states)
    if wanted.is_rare:
        yield _known(IS_RARE)


def _id_of(kind: type[ActionRow] | type[ScheduleRow], name: str, tenant: Tenant) -> ScalarSelect[str]:
    query = select(col(kind.id)).where(col(kind.tenant_id) == tenant.id, col(kind.name) == name)
    return query.scalar_subquery()


def _column(name: str, is_aside: bool) -> ColumnElement[str]:
    column: ColumnElement[str] = TriggerRow.__table__.c[name]  # type: ignore[attr-defined]  # SQLModel has it
    return column.concat("") if is_aside else column


def _known(condition: str) -> TextClause:
    """The condition of a partial index, each of which begins with a column."""
    return text(f'"trigger".{condition}')
