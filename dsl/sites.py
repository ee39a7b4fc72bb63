"""The places of an action where expressions stand, and what may be named there."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from dsl.document import Path
from dsl.scopes import Situation
from dsl.sketch import ConnectorSketch, Sketch, StageSketch


@dataclass(frozen=True)
class Site:
    """A value with templates, or a bare condition."""

    path: Path
    value: JsonValue
    situation: Situation
    stages: frozenset[str]  #: Those that have ended whenever the site is evaluated.
    owner: str = ""  #: The stage it belongs to.
    is_condition: bool = False


def sites_of(sketch: Sketch) -> Iterator[Site]:
    """Every site of an action."""
    for stage in sketch.stages:
        yield from _stage_sites(sketch, stage)
    for connector in sketch.connectors:
        yield from _connector_sites(sketch, connector)
    if "outputs" in sketch.raw:
        yield Site(("outputs",), sketch.raw["outputs"], "outputs", frozenset(sketch.ids))
    if isinstance(concurrency := sketch.raw.get("concurrency"), dict) and "key" in concurrency:
        yield Site(("concurrency", "key"), concurrency["key"], "concurrency", frozenset())
    if isinstance(defaults := sketch.raw.get("defaults"), dict):
        yield from _unless(defaults.get("retry"), ("defaults", "retry"), frozenset(), "")


def _stage_sites(sketch: Sketch, stage: StageSketch) -> Iterator[Site]:
    before = sketch.upstream.get(stage.id, frozenset())
    raw, path = stage.raw, stage.path
    if "with" in raw:
        yield Site((*path, "with"), raw["with"], "with", before, stage.id)
    if "when" in raw:
        yield Site((*path, "when"), raw["when"], "when", before, stage.id, is_condition=True)
    if "output" in raw:
        yield Site((*path, "output"), raw["output"], "output", before, stage.id)
    yield from _unless(raw.get("retry"), (*path, "retry"), before, stage.id)


def _connector_sites(sketch: Sketch, connector: ConnectorSketch) -> Iterator[Site]:
    source, raw, path = connector.source, connector.raw, connector.path
    ended = sketch.upstream.get(source, frozenset()) | {source}
    if "when" in raw:
        yield Site((*path, "when"), raw["when"], "connector", ended, source, is_condition=True)
    if "map" in raw:
        yield Site((*path, "map"), raw["map"], "connector", ended, source)


def _unless(retry: JsonValue, path: Path, before: frozenset[str], owner: str) -> Iterator[Site]:
    if isinstance(retry, dict) and "unless" in retry:
        yield Site((*path, "unless"), retry["unless"], "retry", before, owner, is_condition=True)
