"""Every port has one implementation, of the same name and type, on the queue where it is called."""

import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest
from temporalio import activity
from temporalio.client import Client

import activities
from activities.evaluator import Evaluator
from activities.runtime import Parts, Runtime
from activities.serving import HELD, Serving
from activities.stages.catalogue import KINDS
from cronny.clock import wall_clock
from cronny.egress_rules import Egress
from cronny.secrets import KeyRing, new_key
from cronny.store.database import Database
from workflows import ports
from workflows.checking import ConnectionCheck
from workflows.foreach import Foreach
from workflows.schedule import Schedule
from workflows.trigger import Trigger

Port = Callable[..., object]


def _name(function: object) -> str | None:
    definition = activity._Definition.from_callable(function) if callable(function) else None
    return definition.name if definition is not None else None


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(activities.__path__, "activities."):
        yield importlib.import_module(found.name)


def _implementations() -> Iterator[tuple[str, Port]]:
    for module in _modules():
        classes = [one for one in vars(module).values() if inspect.isclass(one)]
        own = [
            one
            for one in [*classes, module]
            if getattr(one, "__module__", module.__name__) == module.__name__
        ]
        for owner in own:
            for function in vars(owner).values():
                if (name := _name(function)) is not None:
                    yield name, function


PORTS = {name: port for port in vars(ports).values() if (name := _name(port)) is not None}
FOUND = list(_implementations())


def test_there_are_ports() -> None:
    assert PORTS.keys() == {
        "allocate",
        "load_plan",
        "run_stage",
        "run_pure_stage",
        "abandon_stage",
        "skip_stage",
        "close_items",
        "try_outputs",
        "finish",
        "check_connection",
    }


def test_every_port_has_one_implementation_and_nothing_else_is_an_activity() -> None:
    assert sorted(name for name, _ in FOUND) == sorted(PORTS)


@pytest.mark.parametrize("name", PORTS)
def test_an_implementation_has_the_types_of_its_port(name: str) -> None:
    implementation = dict(FOUND)[name]
    assert typing.get_type_hints(implementation) == typing.get_type_hints(PORTS[name])
    assert implementation.__name__ == PORTS[name].__name__ == name


@pytest.mark.parametrize("name", PORTS)
async def test_a_port_itself_does_nothing(name: str) -> None:
    with pytest.raises(NotImplementedError):
        await typing.cast(typing.Any, PORTS[name])(None)


def test_each_queue_serves_its_workflow_and_the_ports_it_calls(tmp_path: Path) -> None:
    serving = _serving(tmp_path)
    system, tenant = serving._system_duty(), serving._tenant_duty()
    assert (system.workflows, {_name(one) for one in system.activities}) == ([Schedule], {"allocate"})
    assert (tenant.workflows, {_name(one) for one in tenant.activities}) == (
        [Trigger, Foreach, ConnectionCheck],
        PORTS.keys() - {"allocate"},
    )
    assert (system.activity_slots, tenant.activity_slots) == (None, HELD)


def _serving(folder: Path) -> Serving:
    database = Database(f"sqlite+aiosqlite:///{folder}/cronny.db")
    parts = Parts(database, Evaluator(), KeyRing(new_key()), KINDS, wall_clock, Egress())
    return Serving(cast(Client, None), Runtime(parts), "shared")
