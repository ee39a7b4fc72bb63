"""What can be made out of an action whose shape may be wrong in places, so that every check can still run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pydantic import JsonValue, ValidationError

from dsl.action import HANDLERS, Input
from dsl.document import Path
from dsl.graph import Edge, EdgeEvent, beside, linear_edges, upstream_of, ways_of

Raw = Mapping[str, JsonValue]


@dataclass(frozen=True)
class StageSketch:
    """A stage as far as it is there; an id or a kind that is no text is empty."""

    path: Path
    id: str
    uses: str
    raw: Raw
    owner: Raw = field(default_factory=dict)  #: Of what undoes a stage: that stage.


@dataclass(frozen=True)
class ConnectorSketch:
    """A connector as far as it is there."""

    path: Path
    source: str
    target: str
    raw: Raw


@dataclass(frozen=True)
class Sketch:
    """The parts of an action that refer to one another."""

    raw: Raw
    stages: tuple[StageSketch, ...]
    connectors: tuple[ConnectorSketch, ...]
    handlers: Mapping[str, tuple[StageSketch, ...]]
    inputs: Mapping[str, Input]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids of the stages, each once."""
        return tuple(dict.fromkeys(stage.id for stage in self.stages if stage.id))

    @cached_property
    def every_stage(self) -> tuple[StageSketch, ...]:
        """The stages of the graph and those behind it."""
        return (*self.stages, *(stage for stages in self.handlers.values() for stage in stages))

    @cached_property
    def every_id(self) -> tuple[str, ...]:
        """The ids of all stages, each once."""
        return tuple(dict.fromkeys(stage.id for stage in self.every_stage if stage.id))

    @cached_property
    def undos(self) -> tuple[StageSketch, ...]:
        """What undoes stages, each with the id of the stage that it undoes."""
        return tuple(
            StageSketch((*stage.path, "undo"), stage.id, _text(undo, "uses"), undo, stage.raw)
            for stage in self.stages
            if isinstance(undo := stage.raw.get("undo"), dict)
        )

    @cached_property
    def beside(self) -> frozenset[str]:
        """The stages that are executed for each failed attempt of another."""
        return beside(self.edges)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """The edges between stages that exist; the index is that of the connector."""
        if self.raw.get("connectors") is None:
            return linear_edges(self.ids)
        return tuple(
            Edge(index, connector.source, connector.target, _event(connector.raw))
            for index, connector in enumerate(self.connectors)
            if connector.source in self.ids and connector.target in self.ids
        )

    @cached_property
    def upstream(self) -> Mapping[str, frozenset[str]]:
        """What can be reached backwards from each stage."""
        return upstream_of(self.ids, ways_of(self.edges))


def sketch_of(raw: Raw) -> Sketch:
    """The sketch of an action."""
    connectors = tuple(
        ConnectorSketch(("connectors", index), _text(edge, "from"), _text(edge, "to"), edge)
        for index, edge in enumerate(_mappings(raw, "connectors"))
    )
    declared = raw.get("inputs")
    inputs = {name: _input(given) for name, given in declared.items()} if isinstance(declared, dict) else {}
    handlers = {name: _stages(raw, name) for name in HANDLERS}
    return Sketch(raw, _stages(raw, "stages"), connectors, handlers, inputs)


def _stages(raw: Raw, name: str) -> tuple[StageSketch, ...]:
    return tuple(
        StageSketch((name, index), _text(stage, "id"), _text(stage, "uses"), stage)
        for index, stage in enumerate(_mappings(raw, name))
    )


def _event(raw: Raw) -> EdgeEvent:
    """All that matters here is whether the source has ended."""
    return "retry" if raw.get("on") == "retry" else "success"


def _mappings(raw: Raw, name: str) -> list[Raw]:
    """The items of a list, with an empty mapping for each that is none, so that indexes stay."""
    items = raw.get(name)
    return [item if isinstance(item, dict) else {} for item in items] if isinstance(items, list) else []


def _text(raw: Raw, name: str) -> str:
    value = raw.get(name)
    return value if isinstance(value, str) else ""


def _input(given: JsonValue) -> Input:
    try:
        return Input.model_validate(given)
    except ValidationError:
        return Input()  # Its value may be null, so expressions take it for anything.
