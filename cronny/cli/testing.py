"""`cronny actions test`: execute an action without its side effects, and compare what came of it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from cronny.cli.client import Client, Key, Url, open_client
from cronny.cli.complaint import complain
from cronny.cli.exits import Exit
from cronny.cli.files import STDIN, SUFFIXES, read, shown
from cronny.cli.following import ended
from cronny.cli.inputs import Inputs, parse_inputs
from cronny.cli.terminal import AsJson, print_json
from cronny.cli.trigger_tables import print_trigger
from dsl.document import read_document
from dsl.problems import Problem
from dsl.rehearsal import Given


class Expected(BaseModel):
    """What is to come of a test; what is not named may be anything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: str | None = None
    stages: Mapping[str, str] = {}  #: The state of each; `absent` of one that must not have begun.
    outputs: JsonValue = None


class Case(BaseModel):
    """A file of `--case`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    inputs: Mapping[str, JsonValue] = {}
    given: Mapping[str, Given] = {}
    allow: tuple[str, ...] = ()
    expect: Expected | None = None


def rehearse(
    action: Annotated[str, typer.Argument(help="The action's name, or a YAML file with its text.")],
    case: Annotated[
        str | None,
        typer.Option("--case", help="A YAML file with `inputs`, `given`, `allow` and `expect`."),
    ] = None,
    inputs: Inputs = None,
    from_trigger: Annotated[
        str | None,
        typer.Option("--from-trigger", help="A trigger whose stages stand in where nothing is given."),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow", metavar="STAGE", help="Execute this stage, side effects included."),
    ] = None,
    stage: Annotated[str | None, typer.Option("--stage", help="Test this stage alone.")] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Test an action, without a schedule and without its side effects.

    The exit code is 1 unless it completed, or came out as the case expects.
    """
    wanted = _read_case(case)
    name, source = _named(action)
    body: dict[str, JsonValue] = {
        "inputs": {**wanted.inputs, **parse_inputs(inputs)},
        "given": {
            one: given.model_dump(mode="json", exclude_unset=True) for one, given in wanted.given.items()
        },
        "allow": [*wanted.allow, *(allow or ())],
        "from_trigger": from_trigger,
        "only": stage,
        "source": source,
    }
    client = open_client(url, key)
    trigger = _tested(client, name, {field: value for field, value in body.items() if value is not None})
    expected = wanted.expect or Expected(state="completed")
    differences = list(_differences(expected, trigger))
    if as_json:
        print_json({**trigger, "differences": list[JsonValue](differences)})
    else:
        print_trigger(trigger)
        for difference in differences:
            complain(difference)
    if differences:
        raise typer.Exit(Exit.FAILED)


def _tested(client: Client, name: str, body: Mapping[str, JsonValue]) -> Any:
    return ended(client, client.post("actions", name, "test", json=dict(body)))


def _differences(expected: Expected, trigger: Any) -> Iterator[str]:
    """What came out otherwise than it was to."""
    if expected.state is not None and trigger["state"] != expected.state:
        yield f"state: expected {expected.state}, got {trigger['state']}"
    found = {one["id"]: one["state"] for one in trigger["stages"]}
    for stage, state in expected.stages.items():
        if (got := found.get(stage, "absent")) != state:
            yield f"stages.{stage}: expected {state}, got {got}"
    if expected.outputs is not None:
        yield from _unlike("outputs", expected.outputs, trigger["outputs"])


def _unlike(where: str, expected: JsonValue, got: JsonValue) -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(got, dict):
        for name in [*expected, *(set(got) - set(expected))]:
            yield from _unlike(f"{where}.{name}", expected.get(name), got.get(name))
    elif expected != got or isinstance(expected, bool) is not isinstance(got, bool):
        yield f"{where}: expected {expected!r}, got {got!r}"


def _named(action: str) -> tuple[str, str | None]:
    """The action's name, and its text if it is a file's."""
    if action != STDIN and not action.endswith(SUFFIXES) and not Path(action).is_file():
        return action, None
    content = _content(action)
    document, problems = read_document(content)
    name = document.value.get("name") if document and isinstance(document.value, dict) else None
    if document is None or problems or not isinstance(name, str):
        found = problems or [Problem("name", "is missing", "give the action a name", "required")]
        raise _refused(action, *[problem.render(shown(action)) for problem in found])
    return name, content.decode("utf-8-sig")


def _read_case(file: str | None) -> Case:
    if file is None:
        return Case()
    document, problems = read_document(_content(file))
    if document is None or problems:
        raise _refused(file, *[problem.render(shown(file)) for problem in problems])
    try:
        return Case.model_validate(document.value)
    except ValidationError as error:
        lines = []
        for one in error.errors():
            path = tuple(str(part) for part in one["loc"])
            line, column = document.at(path)
            lines.append(Problem(".".join(path), one["msg"], line=line, column=column).render(shown(file)))
        raise _refused(file, *lines) from None


def _content(file: str) -> bytes:
    content = read(file)
    if isinstance(content, Problem):
        raise _refused(file, content.render(shown(file)))
    return content


def _refused(file: str, *lines: str) -> typer.Exit:
    for line in lines or (f"{shown(file)} cannot be read",):
        complain(line)
    return typer.Exit(Exit.FAILED)
