"""What a stage that waits says before its end: connectors that fire meanwhile, and the links they bring."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from activities.evaluator import Evaluator
from activities.runtime import Parts
from activities.scope import Ended, Sight
from activities.verdicts import connector_view
from cronny.links import DECISIONS, ApprovalLink, wait_token
from cronny.names import instant_text
from cronny.store.wait_tables import WaitRow
from cronny.store.waits import WaitKey, last_wait
from dsl.graph import Edge
from dsl.waiting import EARLY_EVENTS

__all__ = ["EARLY_EVENTS", "Hint", "early_edges", "foretell", "hint_of", "read_hint"]


@dataclass(frozen=True)
class Hint:
    """What connectors see as the `output` of a stage that waits, and what of it must not be shown."""

    output: dict[str, JsonValue]
    secrets: tuple[str, ...] = ()


def hint_of(parts: Parts, row: WaitRow) -> Hint:
    """The wait with its links, which are made here and kept nowhere."""
    output: dict[str, JsonValue] = {"id": row.id, "until": instant_text(row.due_at or row.until)}
    if row.child_id:
        return Hint({**output, "trigger": row.child_id})
    if row.digest is not None:
        token = wait_token(parts.keyring, row.id, row.key_id)
        return Hint({**output, "url": f"{parts.outside_url}/v1/hooks/waits/{token}"}, (token,))
    if row.kind != "approval":
        return Hint(output)
    approvers = [str(name) for name in row.approvers] if isinstance(row.approvers, list) else []
    tokens = {
        name: {
            decision: ApprovalLink(row.id, name, decision, row.until).token(parts.keyring, row.key_id)
            for decision in DECISIONS
        }
        for name in approvers
    }
    links: dict[str, JsonValue] = {
        name: {decision: f"{parts.outside_url}/v1/approvals/links/{token}" for decision, token in one.items()}
        for name, one in tokens.items()
    }
    found = tuple(token for one in tokens.values() for token in one.values())
    return Hint({**output, "message": row.message, "approvers": list(approvers), "links": links}, found)


async def read_hint(parts: Parts, key: WaitKey) -> Hint:
    """What a stage that waits, or has waited, says of it."""
    async with parts.database.read() as session:
        row = await last_wait(session, key)
    return hint_of(parts, row) if row is not None else Hint({})


def early_edges(sight: Sight, stage_id: str, events: Sequence[str]) -> tuple[Edge, ...]:
    """The outgoing connectors of a stage that listen to these events."""
    return tuple(
        edge for edge in sight.loaded.edges.values() if edge.source == stage_id and edge.on in events
    )


async def foretell(evaluator: Evaluator, sight: Sight, edges: Sequence[Edge], hint: Hint) -> tuple[int, ...]:
    """Which of these connectors fire; raises StageError for a condition that cannot be evaluated."""
    ended = Ended("waiting", hint.output)
    fired = []
    for edge in edges:
        condition = edge.connector.when if edge.connector is not None else None
        view = connector_view(sight, edge.source, ended)
        if condition is None or await evaluator.holds(condition, view):
            fired.append(edge.index)
    return tuple(fired)
