"""One attempt of a stage: prepared ahead of the due, executed after it."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from traceback import format_exception
from typing import Any

from pydantic import BaseModel, JsonValue, ValidationError
from temporalio import activity

from activities.early import EARLY_EVENTS, read_hint
from activities.log import Log
from activities.masking import Masker
from activities.repeating import Opened, asks_for_item, open_items
from activities.resolving import Access, open_for, texts_of
from activities.runtime import Parts
from activities.scope import Ended, Sight
from activities.stages.kind import Kind, Origin, Passage, StageContext, StageError
from activities.stages.request import Answer
from activities.verdicts import connector_view
from activities.work import Work
from cronny.store.uses import Use
from cronny.store.waits import WaitKey
from dsl.action import Stage
from dsl.durations import format_duration
from dsl.outside import secret_expressions
from dsl.shapes import mistakes_of

report = logging.getLogger("activities.attempt")


@dataclass(frozen=True)
class Prepared:
    """Everything that could be done before the due."""

    with_: BaseModel | None  #: None when the stage's own condition says no.
    connection: BaseModel | None
    masker: Masker
    rendered: JsonValue
    sight: Sight
    uses: tuple[Use, ...] = ()  #: The connection and the secrets that it has opened.


async def prepare(parts: Parts, work: Work) -> Prepared | Opened:
    """Evaluate the stage's expressions and open its connection and secrets; raises StageError.

    Of a stage with `foreach` only its list is found; each item is prepared by itself.
    """
    stage = work.stage
    kind = parts.kinds[stage.uses]
    given, secrets = await _input(parts, work)
    sight = work.sight.with_input(given)
    if work.is_opening:
        return await open_items(parts.evaluator, stage, sight)
    if not await _is_wanted(parts, work, sight):
        return Prepared(None, None, Masker(()), None, sight)
    tenant = work.records.trigger.tenant_id
    access = await open_for(parts, tenant, kind, stage, work.loaded, secrets)
    masker = access.masker
    try:
        rendered, masker = await _rendered(parts, stage, sight, access)
        with_ = _validated(kind, rendered)
    except StageError as error:  # It may quote what it could not take.
        message = masker.text(error.message)
        raise StageError(error.code, message, retryable=error.retryable) from None
    return Prepared(with_, access.connection, masker, masker.value(rendered), sight, access.uses)


async def execute(
    parts: Parts, work: Work, prepared: Prepared, until: datetime, log: Log, answer: Answer | None = None
) -> JsonValue:
    """The stage's output; raises StageError, `timeout` when the attempt took longer than it may.

    A stage that waits is executed when it has its answer.
    """
    kind = parts.kinds[work.stage.uses]
    allowed = work.stage.timeout if answer else min(work.stage.timeout, until - parts.clock())
    context: StageContext[Any, Any] = StageContext(
        with_=prepared.with_,
        connection=prepared.connection,
        egress=parts.egress.of(work.call.fire.tenant),
        idempotency_key=work.idempotency_key,
        attempt=work.attempt,
        timeout=allowed,
        log=log.write,
        origin=Origin(
            tenant=work.call.fire.tenant,
            action=work.call.fire.action,
            schedule=work.call.fire.schedule,
            trigger_id=work.call.fire.trigger_id,
            stage_id=work.stage.id,
        ),
        conceal=log.conceal,
        answer=answer,
        passage=Passage(_is_handed_over, log.afterwards, log.earlier),
        streams=log.write_from,
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


async def _rendered(parts: Parts, stage: Stage, sight: Sight, access: Access) -> tuple[JsonValue, Masker]:
    """The `with` block, and what masks its secrets; what an expression has made of one is secret, too."""
    view = sight.at("with", **(access.secrets or {}))
    rendered = await parts.evaluator.render(stage.with_, view)
    made = [f"${{{{ {text} }}}}" for text in secret_expressions(stage.with_)] if access.secrets else []
    if not made:
        return rendered, access.masker
    derived = texts_of(await parts.evaluator.render(list[JsonValue](made), view))
    return rendered, Masker((*access.hidden, *derived))


def _is_handed_over() -> bool:
    """Whether Temporal gives the stage to another worker; a timeout of ours has no such details."""
    details = activity.cancellation_details() if activity.in_activity() else None
    return details is not None and not details.cancel_requested


async def _is_wanted(parts: Parts, work: Work, sight: Sight) -> bool:
    stage = work.stage
    if stage.disabled:
        return False
    is_decided = work.item is not None and not asks_for_item(stage.when or "", stage.item_as)
    return stage.when is None or is_decided or await parts.evaluator.holds(stage.when, sight.at("when"))


async def _input(parts: Parts, work: Work) -> tuple[dict[str, JsonValue], tuple[str, ...]]:
    """What the fired connectors bring, a later one over an earlier one, and the secrets in that."""
    merged: dict[str, JsonValue] = {}
    secrets: tuple[str, ...] = ()
    for index in work.call.incoming:
        edge = work.loaded.edges[index]
        if edge.connector is None:
            continue
        if edge.on in EARLY_EVENTS:
            hint = await read_hint(parts, WaitKey(work.call.fire.trigger_id, edge.source + work.call.suffix))
            ended, secrets = Ended("waiting", hint.output), (*secrets, *hint.secrets)
        else:
            ended = work.source_of(edge)
        view = connector_view(work.sight, edge.source, ended)
        rendered = await parts.evaluator.render(edge.connector.map, view)
        merged.update(rendered if isinstance(rendered, dict) else {})
    return merged, secrets


def _validated(kind: Kind, rendered: JsonValue) -> BaseModel:
    try:
        return kind.with_model.model_validate(rendered)
    except ValidationError as error:
        what = mistakes_of(kind.with_model, rendered, error, ("with",))
        raise StageError("validation", what, retryable=False) from None
