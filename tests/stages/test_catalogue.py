"""What holds for every kind of stage."""

from collections.abc import Mapping

import pytest
from pydantic import BaseModel, SecretStr

from activities.stages.catalogue import KINDS
from activities.stages.kind import Kind
from dsl.check import check_text

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
DOCUMENT = "version: 1\nname: example\nstages:\n"
CONNECTIONS: Mapping[str, Mapping[str, object]] = {
    "docker": {"username": "me", "password": "passw0rd", "secrets": {"token": "s3cret"}},
    "http": {"base_url": "https://api.example.com", "token": "t0ken"},
    "slack": {"webhook_url": "https://hooks.example.com/x"},
    "postgres": {"host": "db", "database": "orders", "user": "me", "password": "pw"},
}


def test_a_kind_is_listed_under_its_own_name() -> None:
    assert {name: kind.name for name, kind in KINDS.items()} == {name: name for name in KINDS}


@every_kind
def test_the_example_is_a_valid_stage(kind: Kind) -> None:
    first, *rest = kind.example.splitlines()
    document = "\n".join([DOCUMENT + f"  - {first}", *(f"    {line}" for line in rest)])
    known = {"orders_db": "postgres", "team_slack": "slack"}
    assert check_text(document, KINDS, known).problems == ()


@every_kind
def test_every_field_is_described(kind: Kind) -> None:
    models = [model for model in (kind.with_model, kind.connection_model) if model is not None]
    silent = [
        f"{model.__name__}.{name}"
        for model in models
        for name, field in model.model_fields.items()
        if not field.description
    ]
    assert silent == []


@every_kind
def test_unknown_fields_are_refused(kind: Kind) -> None:
    models = [model for model in (kind.with_model, kind.connection_model) if model is not None]
    assert [model.model_config.get("extra") for model in models] == ["forbid"] * len(models)


@every_kind
def test_a_connection_belongs_to_the_kinds_that_use_one(kind: Kind) -> None:
    assert (kind.connection == "none") == (kind.connection_model is None)
    assert (kind.connection_model is not None) == (kind.name in CONNECTIONS)


@pytest.mark.parametrize("name", CONNECTIONS)
def test_no_secret_of_a_connection_is_shown(name: str) -> None:
    model = KINDS[name].connection_model
    assert model is not None
    connection = model.model_validate(CONNECTIONS[name])
    shown = f"{connection!r} {connection} {connection.model_dump_json()}"
    assert [secret for secret in _secrets(connection) if secret in shown] == []


def _secrets(connection: BaseModel) -> list[str]:
    values = [
        each for _, value in connection for each in (value.values() if isinstance(value, dict) else [value])
    ]
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
