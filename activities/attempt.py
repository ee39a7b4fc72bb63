"""One attempt of a stage: prepared ahead of the due, executed after it."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from traceback import format_exception
from typing import Any

from pydantic import BaseModel, JsonValue, ValidationError

from activities.action_cache import LoadedAction
from activities.masking import Masker
from activities.resolving import Opened, open_for, texts_of
from activities.runtime import Parts
from activities.scope import Sight, ended_of, sight_of
from activities.stages.kind import Kind, StageContext, StageError
from activities.verdicts import connector_view
from cronny.store.records import TriggerRecords
from cronny.store.uses import Use
from dsl.action import Stage
from dsl.durations import format_duration
from dsl.outside import secret_expressions
from workflows.messages import StageCall

report = logging.getLogger("activities.attempt")

LOG_LIMIT = 64 * 1024  # characters kept of one stage's log


@dataclass(frozen=True)
class Prepared:
    """Everything that could be done before the due."""

    with_: BaseModel | None  #: None when the stage's own condition says no.
    connection: BaseModel | None
    masker: Masker
    rendered: JsonValue
    sight: Sight
    uses: tuple[Use, ...] = ()  #: The connection and the secrets that it has opened.


@dataclass
class Log:
    """The lines a stage wrote, masked and capped."""

    masker: Masker
    lines: list[str] = field(default_factory=list)
    size: int = 0

    def write(self, line: str) -> None:
        """Add a line; what goes beyond the limit is dropped."""
        text = self.masker.text(line).replace("\x00", "")
        self.size += len(text) + 1
        if self.size <= LOG_LIMIT:
            self.lines.append(text)

    def text(self) -> str:
        """The log as one text that any database takes."""
        return "\n".join(self.lines).encode("utf-8", "replace").decode()


async def prepare(
    parts: Parts,
    loaded: LoadedAction,
    call: StageCall,
    records: TriggerRecords,
    outside: Mapping[str, JsonValue],
) -> Prepared:
    """Evaluate the stage's expressions and open its connection and secrets; raises StageError."""
    stage = loaded.stages[call.stage_id]
    kind = parts.kinds[stage.uses]
    sight = sight_of(loaded, call.fire, records, outside)
    sight = sight.with_input(await _input(parts, sight, call.incoming, records))
    if not await _is_wanted(parts, stage, sight):
        return Prepared(None, None, Masker(()), None, sight)
    opened = await open_for(parts, records.trigger.tenant_id, kind, stage, loaded)
    try:
        rendered, masker = await _rendered(parts, stage, sight, opened)
        with_ = _validated(kind, rendered)
    except StageError as error:  # It may quote what it could not take.
        message = opened.masker.text(error.message)
        raise StageError(error.code, message, retryable=error.retryable) from None
    return Prepared(with_, opened.connection, masker, masker.value(rendered), sight, opened.uses)


async def execute(
    parts: Parts, stage: Stage, prepared: Prepared, call: StageCall, attempt: int, until: datetime, log: Log
) -> JsonValue:
    """The stage's output; raises StageError, `timeout` when the attempt took longer than it may."""
    kind = parts.kinds[stage.uses]
    allowed = min(stage.timeout, until - parts.clock())
    context: StageContext[Any, Any] = StageContext(
        with_=prepared.with_,
        connection=prepared.connection,
        egress=parts.egress,
        idempotency_key=f"{call.fire.trigger_id}/{stage.id}",
        attempt=attempt,
        timeout=allowed,
        log=log.write,
    )
    try:
        async with asyncio.timeout(max(allowed, timedelta()).total_seconds()):
            return await kind.run(context)
    except StageError:
        raise
    except TimeoutError:
        text = format_duration(max(allowed, timedelta()))
        raise StageError("timeout", f"no result within {text}", retryable=True) from None
    except Exception as error:  # a mistake of ours; let through, Temporal would repeat the side effect
        # Its text may quote a credential.
        trace = prepared.masker.text("".join(format_exception(error)))
        report.error("a stage kind failed in an unexpected way", extra={"kind": kind.name, "trace": trace})
        raise StageError("internal", f"{kind.name}: {type(error).__name__}", retryable=False) from error


async def _rendered(parts: Parts, stage: Stage, sight: Sight, opened: Opened) -> tuple[JsonValue, Masker]:
    """The `with` block, and what masks its secrets; what an expression has made of one is secret, too."""
    view = sight.at("with", **(opened.secrets or {}))
    rendered = await parts.evaluator.render(stage.with_, view)
    made = [f"${{{{ {text} }}}}" for text in secret_expressions(stage.with_)] if opened.secrets else []
    if not made:
        return rendered, opened.masker
    derived = texts_of(await parts.evaluator.render(list[JsonValue](made), view))
    return rendered, Masker((*opened.hidden, *derived))


async def _is_wanted(parts: Parts, stage: Stage, sight: Sight) -> bool:
    if stage.disabled:
        return False
    return stage.when is None or await parts.evaluator.holds(stage.when, sight.at("when"))


async def _input(
    parts: Parts, sight: Sight, incoming: Sequence[int], records: TriggerRecords
) -> dict[str, JsonValue]:
    """What the fired connectors bring, a later one over an earlier one."""
    merged: dict[str, JsonValue] = {}
    for index in incoming:
        edge = sight.loaded.edges[index]
        if edge.connector is None:
            continue
        view = connector_view(sight, edge.source, ended_of(records.stages[edge.source]))
        rendered = await parts.evaluator.render(edge.connector.map, view)
        merged.update(rendered if isinstance(rendered, dict) else {})
    return merged


def _validated(kind: Kind, rendered: JsonValue) -> BaseModel:
    try:
        return kind.with_model.model_validate(rendered)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise StageError("validation", f"with.{place}: {first['msg']}", retryable=False) from None
