"""What holds for every kind of stage."""

from collections.abc import Mapping

import pytest
from pydantic import BaseModel, SecretStr

from activities.stages.catalogue import KINDS
from activities.stages.kind import Kind
from dsl.check import check_text
from dsl.document import read_document
from dsl.report import Report
from dsl.shapes import check_shape

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
DOCUMENT = "version: 1\nname: example\nstages:\n"
CONNECTIONS: Mapping[str, Mapping[str, object]] = {
    "docker": {"username": "me", "password": "passw0rd", "secrets": {"token": "s3cret"}},
    "http": {"base_url": "https://api.example.com", "token": "t0ken"},
    "pagerduty": {"routing_key": "0123456789abcdef0123456789abcdef"},
    "slack": {"webhook_url": "https://hooks.example.com/x"},
    "mysql": {"host": "db", "database": "shop", "user": "me", "password": "pw"},
    "postgres": {"host": "db", "database": "orders", "user": "me", "password": "pw"},
    "redis": {"host": "cache", "password": "pw", "client_certificate": "c", "client_key": "k3y"},
    "s3": {"access_key_id": "id", "secret_access_key": "s3cret", "session_token": "t0ken"},
}


def test_a_kind_is_listed_under_its_own_name() -> None:
    assert {name: kind.name for name, kind in KINDS.items()} == {name: name for name in KINDS}


@every_kind
def test_the_example_is_a_valid_stage(kind: Kind) -> None:
    first, *rest = kind.example.splitlines()
    document = "\n".join([DOCUMENT + f"  - {first}", *(f"    {line}" for line in rest)])
    known = {
        "cache": "redis", "oncall": "pagerduty", "orders_db": "postgres", "reports": "s3",
        "shop_db": "mysql", "team_slack": "slack",
    }  # fmt: skip
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


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (
            "pagerduty",
            "routing_key: abc",
            "c.yaml:1:14: routing_key: must be 32 letters and digits; "
            "it is the Integration Key of an Events API v2 integration",
        ),
        (
            "http",
            "base_url: example.com",
            "c.yaml:1:11: base_url: must be a web address that begins with https:// or http://",
        ),
        (
            "http",
            "{base_url: 'https://x', token: a, username: b}",
            "c.yaml:1:1: document: give one of token and username; a request carries one Authorization",
        ),
        (
            "http",
            "{base_url: 'https://x', ca_certificate: BEGIN PRIVATE KEY}",
            "c.yaml:1:41: ca_certificate: holds a private key; that belongs in client_key",
        ),
    ],
)
def test_a_connection_that_is_refused_says_what_to_do(kind: str, text: str, said: str) -> None:
    model, (document, _) = KINDS[kind].connection_model, read_document(text.encode())
    assert model is not None
    assert document is not None
    report = Report(document)
    assert check_shape(model, document.value, report) is None
    assert [problem.render("c.yaml") for problem in report.problems] == [said]


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
