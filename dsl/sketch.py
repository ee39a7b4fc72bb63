"""What can be made out of an action whose shape may be wrong in places, so that every check can still run."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pydantic import JsonValue, ValidationError

from dsl.action import Input
from dsl.document import Path
from dsl.graph import Edge, linear_edges, upstream_of

Raw = Mapping[str, JsonValue]


@dataclass(frozen=True)
class StageSketch:
    """A stage as far as it is there; an id or a kind that is no text is empty."""

    path: Path
    id: str
    uses: str
    raw: Raw


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
    inputs: Mapping[str, Input]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids of the stages, each once."""
        return tuple(dict.fromkeys(stage.id for stage in self.stages if stage.id))

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """The edges between stages that exist; the index is that of the connector."""
        if self.raw.get("connectors") is None:
            return linear_edges(self.ids)
        return tuple(
            Edge(index, connector.source, connector.target)
            for index, connector in enumerate(self.connectors)
            if connector.source in self.ids and connector.target in self.ids
        )

    @cached_property
    def upstream(self) -> Mapping[str, frozenset[str]]:
        """What can be reached backwards from each stage."""
        return upstream_of(self.ids, self.edges)


def sketch_of(raw: Raw) -> Sketch:
    """The sketch of an action."""
    stages = tuple(
        StageSketch(("stages", index), _text(stage, "id"), _text(stage, "uses"), stage)
        for index, stage in enumerate(_mappings(raw, "stages"))
    )
    connectors = tuple(
        ConnectorSketch(("connectors", index), _text(edge, "from"), _text(edge, "to"), edge)
        for index, edge in enumerate(_mappings(raw, "connectors"))
    )
    declared = raw.get("inputs")
    inputs = {name: _input(given) for name, given in declared.items()} if isinstance(declared, dict) else {}
    return Sketch(raw, stages, connectors, inputs)


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
