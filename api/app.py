"""The HTTP server put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from activities.uses import UseLog
from api import errors
from api.answers import AsciiJson
from api.follow.streams import Streams
from api.openapi import describe
from api.outbox import Outbox
from api.parts import Parts
from api.routes import (
    actions,
    approvals,
    backfills,
    calendars,
    catchups,
    connections,
    events,
    explaining,
    fires,
    following,
    health,
    hooks,
    keys,
    limits,
    links,
    schedules,
    schemas,
    secrets,
    triggers,
    validate,
    values,
    variables,
    versions,
    webhooks,
)

ABOUT = """A durable, punctual, multi-tenant scheduler.

Every answer is about the tenant whose API key comes with the request. A refused request is answered with
`application/problem+json` that lists everything that is wrong, each problem at its line and column.
Bodies are YAML or JSON, whatever their `Content-Type`.
"""


def create_app(parts: Parts) -> FastAPI:
    """The server of an installation; who runs it closes the parts afterwards."""
    app = FastAPI(
        title="Cronny",
        version=version("cronny"),
        description=ABOUT,
        lifespan=_until_sent,
        default_response_class=AsciiJson,
        redirect_slashes=False,
    )
    app.state.parts = parts
    app.state.outbox = Outbox(parts.temporal)
    app.state.streams = Streams(parts.database)
    app.state.uses = UseLog(parts.database, parts.clock)
    errors.install(app)
    for noun in (
        actions,
        versions,
        schedules,
        explaining,
        fires,
        backfills,
        catchups,
        triggers,
        following,
        values,
        links,
        approvals,
        webhooks,
        hooks,
        events,
        calendars,
        connections,
        variables,
        secrets,
        keys,
        validate,
        limits,
        schemas,
        health,
    ):
        app.include_router(noun.router)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]  # FastAPI's way to change it
    return app


@asynccontextmanager
async def _until_sent(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.streams.close()
    await app.state.outbox.close()
    await app.state.uses.close()
