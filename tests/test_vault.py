from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from activities.stages.docker_fields import DockerConnection
from activities.stages.http_connection import HttpConnection
from activities.stages.postgres_connection import PostgresConnection
from activities.stages.slack import SlackConnection
from cronny.secrets import KeyRing, Unsealable, new_key
from cronny.store.tables import ConnectionRow
from cronny.vault import seal, split_secrets, unseal

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RING = KeyRing(new_key())


def row(tenant: str = "ten_1", id_: str = "con_1", sealed: str = "") -> ConnectionRow:
    return ConnectionRow(
        id=id_,
        tenant_id=tenant,
        name="db",
        kind="postgres",
        settings={},
        sealed=sealed,
        created_at=NOW,
        updated_at=NOW,
    )


CONNECTIONS: list[tuple[BaseModel, set[str]]] = [
    (SlackConnection.model_validate({"webhook_url": "https://hooks.example/x"}), {"webhook_url"}),
    (SlackConnection.model_validate({"token": "xoxb", "webhook_url": None}), {"token"}),
    (
        HttpConnection.model_validate({"base_url": "https://a", "api_key": "k", "token": "t"}),
        {"api_key", "token"},
    ),
    (HttpConnection.model_validate({"base_url": "https://a", "headers": {"X": "y"}}), set()),
    (
        PostgresConnection.model_validate({"host": "h", "database": "d", "user": "u", "password": "p"}),
        {"password"},
    ),
    (DockerConnection.model_validate({"secrets": {"a": "x", "b": "y"}}), {"secrets"}),
    (DockerConnection.model_validate({"secrets": {}}), set()),
]


@pytest.mark.parametrize(("model", "names"), CONNECTIONS)
def test_a_connection_comes_back_from_its_public_and_its_sealed_fields(
    model: BaseModel, names: set[str]
) -> None:
    public, secrets = split_secrets(model)
    assert names <= secrets.keys()
    assert not secrets.keys() & public.keys()
    opened = unseal(RING, row(sealed=seal(RING, row(), secrets)))
    assert type(model).model_validate({**public, **opened}) == model


@pytest.mark.parametrize("other", [row(tenant="ten_2"), row(id_="con_2")])
def test_secrets_open_only_as_those_of_their_row(other: ConnectionRow) -> None:
    other.sealed = seal(RING, row(), {"password": "p"})
    with pytest.raises(Unsealable):
        unseal(RING, other)
