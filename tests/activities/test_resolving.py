"""Connections as stages get them."""

from datetime import UTC, datetime

import pytest

from activities.evaluator import Evaluator
from activities.resolving import open_connection, texts_of
from activities.runtime import Parts
from activities.stages.catalogue import KINDS
from activities.stages.kind import StageError
from activities.stages.slack import SlackConnection
from cronny.clock import wall_clock
from cronny.egress_rules import Egress
from cronny.secrets import KeyRing, new_key
from cronny.store.database import Database
from cronny.store.tables import ConnectionRow
from cronny.vault import seal

CANARY = "canary-resolving"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
RING = KeyRing(new_key())


def parts(ring: KeyRing = RING) -> Parts:
    return Parts(Database("sqlite+aiosqlite:///nowhere.db"), Evaluator(), ring, KINDS, wall_clock, Egress())


def connection(**secrets: str) -> ConnectionRow:
    row = ConnectionRow(
        id="con_1", tenant_id="ten_1", name="team", kind="slack", settings={}, sealed="",
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    row.sealed = seal(RING, row, secrets)
    return row


def test_a_connection_comes_with_what_is_to_be_hidden() -> None:
    opened = open_connection(parts(), SlackConnection, connection(token=CANARY))
    assert (opened.hidden, [use.what for use in opened.uses]) == ((CANARY,), ["connection"])
    assert opened.masker.text(f"say {CANARY}") == "say ***"


@pytest.mark.parametrize(
    ("row", "ring", "code"),
    [
        (connection(token=CANARY, webhook_url="https://example.com/x"), RING, "validation"),
        (connection(token=CANARY, other=CANARY), RING, "validation"),
        (connection(token=CANARY), KeyRing(new_key()), "internal"),
    ],
)
def test_a_connection_that_cannot_be_used_is_told_without_its_secrets(
    row: ConnectionRow, ring: KeyRing, code: str
) -> None:
    with pytest.raises(StageError) as caught:
        open_connection(parts(ring), SlackConnection, row)
    shown = f"{caught.value} {caught.value.__cause__}"
    assert (caught.value.code, "connection 'team'" in shown, CANARY in shown) == (code, True, False)


def test_every_text_and_number_of_a_secret_is_found() -> None:
    assert texts_of({"a": ["x", 12345, None, True], "b": {"c": "y"}}) == ["x", "12345", "y"]
