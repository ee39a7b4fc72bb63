"""The image of a container: there already, or fetched by the Engine."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from activities.stages.docker_engine import Engine, EngineError
from activities.stages.docker_fields import DockerConnection
from activities.stages.docker_plan import Plan
from activities.stages.kind import StageError
from cronny.images import HUB, Image

MOST_VOLUMES = 32  # that an image declares; each becomes a mount
HUB_ADDRESS = "https://index.docker.io/v1/"  # under which the Engine knows the registry `docker.io`


@dataclass(frozen=True)
class Prepared:
    """An image that the Engine has."""

    id: str
    digest: str  #: With the repository; empty for one that came from no registry.
    volumes: tuple[str, ...]  #: What it declares.


async def prepared(
    engine: Engine,
    plan: Plan,
    connection: DockerConnection | None,
    may_pull: bool,
    log: Callable[[str], None],
) -> Prepared:
    """The plan's image, fetched if it must be; raises StageError if it cannot be had."""
    wish = plan.fields.pull
    found = None if wish == "always" else await _look(engine, plan.image)
    if found is not None:
        return found
    if wish == "never":
        raise _missing(f"the Engine does not have {plan.image}, and pull is never")
    if not may_pull:
        raise _missing(f"the Engine does not have {plan.image}, and may fetch none here")
    await _pull(engine, plan.image, connection)
    log(f"fetched {plan.image}")
    found = await _look(engine, plan.image)
    if found is None:
        raise _missing(f"the Engine does not have {plan.image} after fetching it")
    return found


async def _look(engine: Engine, image: Image) -> Prepared | None:
    try:
        found = await engine.get(f"/images/{image}/json")
    except EngineError as error:
        if error.status == 404:
            return None
        raise
    config: Mapping[str, Any] = found.get("Config") or {}
    volumes = tuple(config.get("Volumes") or ())
    if len(volumes) > MOST_VOLUMES:
        raise _missing(f"{image} declares {len(volumes)} volumes, more than {MOST_VOLUMES}")
    return Prepared(found["Id"], next(iter(found.get("RepoDigests") or ()), ""), volumes)


async def _pull(engine: Engine, image: Image, connection: DockerConnection | None) -> None:
    """Have the image fetched; the Engine itself speaks with the registry."""
    query = {"fromImage": image.repository, "tag": image.digest or image.tag}
    headers = _credentials(image, connection)
    try:
        async with engine.streamed("POST", "/images/create", headers, **query) as response:
            async for line in response.aiter_lines():
                _check(image, line)
    except EngineError as error:
        raise StageError(
            "code.image", f"{image} cannot be fetched: {error}", retryable=error.is_passing
        ) from error


def _check(image: Image, line: str) -> None:
    try:
        problem = json.loads(line).get("error")
    except (ValueError, AttributeError):
        return  # A line of progress in a form of its own.
    if problem:
        raise StageError("code.image", f"{image} cannot be fetched: {str(problem)[:1000]}", retryable=True)


def _credentials(image: Image, connection: DockerConnection | None) -> dict[str, str]:
    """The header with the credentials, if they are for the image's registry."""
    if connection is None or connection.password is None or connection.registry != image.registry:
        return {}
    told = json.dumps(_identity(connection, connection.password)).encode()
    return {"x-registry-auth": urlsafe_b64encode(told).decode()}


async def login(engine: Engine, connection: DockerConnection) -> None:
    """Have the Engine log in at the connection's registry; raises StageError if that does not let it in."""
    assert connection.password is not None  # noqa: S101 - the caller has looked
    try:
        await engine.post("/auth", _identity(connection, connection.password))
    except EngineError as error:
        if error.status == 0:
            raise
        code = "auth" if error.status == 401 else "code.image"
        message = f"the Engine cannot log in at {connection.registry}: {error}"
        raise StageError(code, message, retryable=error.is_passing) from error


def _identity(connection: DockerConnection, password: SecretStr) -> dict[str, str]:
    address = HUB_ADDRESS if connection.registry == HUB else connection.registry
    secret = password.get_secret_value()
    return {"username": connection.username or "", "password": secret, "serveraddress": address}


def _missing(message: str) -> StageError:
    return StageError("code.image", message, retryable=False)
