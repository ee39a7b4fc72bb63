"""The test of a `docker` connection: the Engine, what a tenant may run there, and the login at a registry."""

from typing import Any

from activities.stages.docker_engine import Engine, EngineError, engine_at
from activities.stages.docker_fields import DockerConnection
from activities.stages.docker_images import login
from activities.stages.exchange import web_url
from activities.stages.kind import ConnectionContext, StageError
from cronny.docker import Docker, DockerRules
from cronny.errors import EgressDenied

NO_ENGINE = "this installation has no Docker Engine; set CRONNY_DOCKER_HOST to unix:///… or tcp://host:port"
NO_IMAGE = "no image is allowed here; the operator allows some with CRONNY_DOCKER_IMAGES"
Context = ConnectionContext[DockerConnection]


async def check_connection(context: Context, docker: Docker | None = None) -> str:
    """Ask the Engine for its version, and have it log in where the connection has credentials."""
    if docker is None or docker.host is None:
        raise StageError("validation", NO_ENGINE, retryable=False)
    rules = docker.rules_of(context.tenant)
    if not rules.allowed:
        raise StageError("validation", NO_IMAGE, retryable=False)
    try:
        async with engine_at(docker.host) as engine:
            about = await engine.get("/version")
            return f"{_described(about)}; {await _login(engine, context, rules)}"
    except EngineError as error:
        raise StageError("connection", f"the Docker Engine: {error}", retryable=error.is_passing) from error


def _described(about: Any) -> str:
    known = {name: str(about.get(name))[:40] for name in ("Version", "ApiVersion", "Os", "Arch")}
    return "Docker {Version} answers, API {ApiVersion}, on {Os}/{Arch}".format_map(known)


async def _login(engine: Engine, context: Context, rules: DockerRules) -> str:
    settings = context.connection
    if settings.password is None:
        return "it has no credentials for a registry to test"
    if not rules.concern(settings.registry):
        message = f"no image of {settings.registry} is allowed here; {', '.join(rules.allowed)} are"
        raise StageError("validation", message, retryable=False)
    if not rules.pull:
        return f"images are not fetched here, so the login at {settings.registry} was not tested"
    if not rules.name_registry(settings.registry):
        await _require_open(context)
    await login(engine, settings)
    return f"{settings.registry} lets {settings.username} in"


async def _require_open(context: Context) -> None:
    """Refuse a registry that only the tenant has named where a stage of the tenant could not go either."""
    url = web_url(f"https://{context.connection.registry}")
    try:
        await context.egress.resolve(url.host, url.port or 443)
    except EgressDenied as error:
        raise StageError("egress_denied", str(error), retryable=False) from error
    except OSError as error:
        raise StageError("dns", f"{url.host}: the name has no address", retryable=True) from error
