"""The places of an action where expressions stand, and what may be named there."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pydantic import JsonValue

from dsl.document import Path
from dsl.scopes import HANDLER_NAMES, UNDO_NAMES, Names, Situation, item_names
from dsl.sketch import ConnectorSketch, Raw, Sketch, StageSketch


@dataclass(frozen=True)
class Site:
    """A value with templates, or a bare condition."""

    path: Path
    value: JsonValue
    situation: Situation
    stages: frozenset[str]  #: Those that have ended whenever the site is evaluated.
    owner: str = ""  #: The stage it belongs to.
    is_condition: bool = False
    more: Names = ()  #: The names that are there besides those of the situation.

    @property
    def takes_secrets(self) -> bool:
        """Whether secrets are to be had: only what is sent has them, and that is masked."""
        return self.path[-1] == "with"


def sites_of(sketch: Sketch) -> Iterator[Site]:
    """Every site of an action."""
    for stage in sketch.stages:
        yield from _stage_sites(stage, sketch.upstream.get(stage.id, frozenset()), ())
    for connector in sketch.connectors:
        yield from _connector_sites(sketch, connector)
    for undo in sketch.undos:
        yield from _undo_sites(undo, sketch.upstream.get(undo.id, frozenset()) | {undo.id})
    for stages in sketch.handlers.values():
        before = frozenset(sketch.ids) - sketch.beside
        for stage in stages:
            yield from _stage_sites(stage, before, HANDLER_NAMES)
            before |= {stage.id}
    if "outputs" in sketch.raw:
        ended = frozenset(sketch.ids) - sketch.beside
        yield Site(("outputs",), sketch.raw["outputs"], "outputs", ended)
    if isinstance(concurrency := sketch.raw.get("concurrency"), dict) and "key" in concurrency:
        yield Site(("concurrency", "key"), concurrency["key"], "concurrency", frozenset())
    if isinstance(defaults := sketch.raw.get("defaults"), dict):
        yield from _unless(defaults.get("retry"), ("defaults", "retry"), frozenset(), "")


def _stage_sites(stage: StageSketch, before: frozenset[str], more: Names) -> Iterator[Site]:
    raw, path = stage.raw, stage.path
    if "foreach" in raw:
        yield Site((*path, "foreach"), raw["foreach"], "when", before, stage.id, more=more)
    each = (*more, *_item_names(stage.raw))
    if "with" in raw:
        yield Site((*path, "with"), raw["with"], "with", before, stage.id, more=each)
    if "when" in raw:
        yield Site((*path, "when"), raw["when"], "when", before, stage.id, is_condition=True, more=each)
    if "output" in raw:
        yield Site((*path, "output"), raw["output"], "output", before, stage.id, more=each)
    for site in _unless(raw.get("retry"), (*path, "retry"), before, stage.id):
        yield replace(site, more=each)


def _item_names(raw: Raw) -> Names:
    if raw.get("foreach") is None:
        return ()
    given = raw.get("item_as", "item")
    return item_names(given) if isinstance(given, str) else ()


def _undo_sites(undo: StageSketch, before: frozenset[str]) -> Iterator[Site]:
    seen = (*UNDO_NAMES, *_item_names(undo.owner))
    if "with" in undo.raw:
        path = (*undo.path, "with")
        yield Site(path, undo.raw["with"], "outputs", before, undo.id, more=seen)
    for site in _unless(undo.raw.get("retry"), (*undo.path, "retry"), before, undo.id):
        yield replace(site, more=seen)


def _connector_sites(sketch: Sketch, connector: ConnectorSketch) -> Iterator[Site]:
    source, raw, path = connector.source, connector.raw, connector.path
    ended = sketch.upstream.get(source, frozenset())
    if raw.get("on") != "retry":  # After a failed attempt the source goes on.
        ended |= {source}
    if "when" in raw:
        yield Site((*path, "when"), raw["when"], "connector", ended, source, is_condition=True)
    if "map" in raw:
        yield Site((*path, "map"), raw["map"], "connector", ended, source)


def _unless(retry: JsonValue, path: Path, before: frozenset[str], owner: str) -> Iterator[Site]:
    if isinstance(retry, dict) and "unless" in retry:
        yield Site((*path, "unless"), retry["unless"], "retry", before, owner, is_condition=True)
