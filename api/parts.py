"""What the HTTP server is put together from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from temporalio.client import Client

from activities.rules import RuleCache
from activities.stages.kind import Kind
from cronny.blobs import BlobStore, Nowhere
from cronny.clock import Clock
from cronny.secrets import KeyRing
from cronny.store.database import Database


@dataclass(frozen=True)
class Parts:
    """The parts that tests and `python -m api` hand in."""

    database: Database
    temporal: Client
    keyring: KeyRing
    kinds: Mapping[str, Kind]
    clock: Clock
    outside_url: str = "http://127.0.0.1:8080"  #: Where others reach this server.
    rules: RuleCache = field(default_factory=RuleCache)
    blobs: BlobStore = field(default_factory=Nowhere)  #: Where large values are kept.


def parts_of(request: Request) -> Parts:
    """The parts of the server that received the request."""
    parts: Parts = request.app.state.parts
    return parts
