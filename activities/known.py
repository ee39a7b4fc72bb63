"""What the record of a stage says already when it is called for once more."""

from activities.work import Work
from cronny.store.item_tables import ItemRow
from cronny.store.tables import StageRow, TriggerState
from workflows.messages import StageResult

UNCLAIMED = StageResult(status="unclaimed")


def known_result(work: Work) -> StageResult | None:
    """What the record says already, or that the trigger is another run's."""
    call, record = work.call, work.record
    if call.outcome is not None and work.records.trigger.run_id != call.run_id:
        return UNCLAIMED
    if record is None:
        return None
    if record.finished_at is not None:
        return StageResult.model_validate({"status": str(record.state), "fired": _fired(record)})
    if 0 < call.attempt < record.attempt:  # its worker died before it could say so
        return StageResult(status="retrying", fired=_fired(record))
    return None


def is_yet_to_claim(work: Work) -> bool:
    """Whether the trigger has yet to be claimed: what a re-run takes over has its records before that."""
    return work.call.is_root and work.records.trigger.state is TriggerState.SCHEDULED


def _fired(record: StageRow | ItemRow) -> tuple[int, ...]:
    found = record.fired if isinstance(record, StageRow) else None
    return tuple(int(str(index)) for index in found) if isinstance(found, list) else ()
