"""`cronny apply --prune`: what the files own, by a label, and have no more."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import typer
from pydantic import JsonValue

from cronny.cli.client import Client, Refused
from dsl.problems import Problem


@dataclass(frozen=True)
class Label:
    """A label of actions that files own."""

    name: str
    value: str

    @property
    def text(self) -> str:
        """`name=value`."""
        return f"{self.name}={self.value}"

    @property
    def written(self) -> str:
        """As an action has it."""
        return f"{{{self.name}: {self.value}}}"

    def is_among(self, labels: JsonValue) -> bool:
        """Whether an action's labels have it."""
        return isinstance(labels, dict) and labels.get(self.name) == self.value


def read_label(text: str) -> Label:
    """The label of a flag."""
    name, separator, value = text.partition("=")
    if not name or not separator or not value:
        raise typer.BadParameter("--prune: write a label as name=value, such as managed_by=git")
    return Label(name, value)


def labels_of(action: JsonValue) -> JsonValue:
    """The labels that an action's text has."""
    return action.get("labels") if isinstance(action, dict) else None


def prune(
    client: Client, label: Label, kept: Collection[str], is_dry: bool
) -> Iterator[tuple[Any, tuple[Problem, ...]]]:
    """Delete the actions with a label that are not to be kept: what was done to each, or why it was not."""
    for action in client.get("actions", label=label.text)["items"]:
        if action["name"] in kept:
            continue
        try:
            dry_run = "true" if is_dry else None
            yield client.delete("actions", action["name"], with_schedules="own", dry_run=dry_run), ()
        except Refused as error:
            yield None, (Problem(action["name"], str(error), code=error.code),)
