"""Where an image comes from, and who is given which credentials."""

from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from activities.stages.docker_fields import DockerConnection, DockerWith
from tests.servers import registry
from tests.servers.docker import Engine
from tests.stages.contexts import brief, failure, run
from tests.stages.docker_stage import kind_at, script

ALLOWED = ("box", "127.0.0.1:*/**")


@pytest.fixture
def images() -> Iterator[registry.Registry]:
    """A registry on loopback, which an Engine asks without TLS."""
    with registry.running() as images:
        yield images


def credentials(images: registry.Registry, **others: str) -> dict[str, object]:
    return {"registry": images.host, "username": registry.USER, "password": registry.PASSWORD, **others}


def echo(images: registry.Registry, **fields: object) -> dict[str, object]:
    return script("echo fetched", image=f"{images.host}/acme/report:1", stdout="text", **fields)


async def test_an_image_is_fetched_with_the_credentials_of_its_registry(
    engine: Engine, images: registry.Registry
) -> None:
    log: list[str] = []
    output = await run(kind_at(engine, images=ALLOWED), echo(images), credentials(images), log=log)
    assert (output["stdout"], log[0]) == ("fetched\n", f"fetched {images.host}/acme/report:1")


async def test_an_image_that_is_there_is_not_fetched_again(engine: Engine, images: registry.Registry) -> None:
    kind = kind_at(engine, images=ALLOWED)
    await run(kind, echo(images), credentials(images))
    images.server.requests.clear()
    await run(kind, echo(images), credentials(images), attempt=2)
    assert images.server.requests == []
    await run(kind, echo(images, pull="always"), credentials(images), attempt=3)
    assert images.server.requests != []


@pytest.mark.parametrize("others", [{"password": "wrong"}, {"registry": "ghcr.io"}])
async def test_without_its_credentials_an_image_cannot_be_fetched(
    engine: Engine, images: registry.Registry, others: dict[str, str]
) -> None:
    error = await failure(kind_at(engine, images=ALLOWED), echo(images), credentials(images, **others))
    assert error.code == "code.image"
    assert error.message.startswith(f"{images.host}/acme/report:1 cannot be fetched: ")


async def test_credentials_are_sent_to_no_other_registry(engine: Engine, images: registry.Registry) -> None:
    connection = credentials(images, registry="ghcr.io")
    await failure(kind_at(engine, images=ALLOWED), echo(images), connection)
    assert [request for request in images.server.requests if "authorization" in request.headers] == []


@pytest.mark.parametrize(
    ("fields", "rules", "message"),
    [
        (
            {"image": "box:none", "pull": "never"},
            {},
            "the Engine does not have docker.io/library/box:none, and pull is never",
        ),
        (
            {"image": "box:none"},
            {"pull": False},
            "the Engine does not have docker.io/library/box:none, and may fetch none here",
        ),
    ],
)
async def test_an_image_that_may_not_be_fetched_is_missing(
    engine: Engine, fields: dict[str, object], rules: dict[str, object], message: str
) -> None:
    error = await failure(kind_at(engine, **rules), {"image": "box:1", **fields})
    assert brief(error) == ("code.image", message, False)


@pytest.mark.parametrize("part", [slice(None), slice(7, 19)])
async def test_an_image_cannot_be_named_by_its_id(engine: Engine, part: slice) -> None:
    """It would be a way around every rule for names."""
    identity = engine.ask("GET", "/images/box:1/json")["Id"][part]
    kind = kind_at(engine, images=("**",), pull=False)
    error = await failure(kind, {"image": identity})
    assert error.code == "code.image"


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"memory": "2g"}, "memory 2g is more than is allowed here: 1g"),
        ({"cpus": 3}, "cpus 3 are more than are allowed here: 2"),
        ({"secret_env": {"A": "b"}}, "secrets come from a connection of kind docker; name one"),
        (
            {"image": "other"},
            "the image docker.io/library/other:latest is not allowed here; those that are: box",
        ),
    ],
)
async def test_what_the_rules_do_not_allow_is_refused(wish: dict[str, object], message: str) -> None:
    engine = Engine("unix:///nowhere", process=None)  # type: ignore[arg-type]  # it is not asked
    error = await failure(kind_at(engine), {"image": "box:1", **wish})
    assert brief(error) == ("validation", message, False)


async def test_a_secret_that_is_not_there_is_missed_by_its_name() -> None:
    engine = Engine("unix:///nowhere", process=None)  # type: ignore[arg-type]  # it is not asked
    fields = {"image": "box:1", "secret_files": ["tokn"]}
    error = await failure(kind_at(engine), fields, {"secrets": {"token": "x"}})
    assert error.message == "the connection has no secret 'tokn'; it has token"


@pytest.mark.parametrize(
    "fields",
    [
        {"image": "No Image"},
        {"command": "echo one"},
        {"env": {"A=B": "x"}},
        {"env": {"A": None}},
        {"command": ["a\0b"]},
        {"secret_files": ["../etc/passwd"]},
        {"secret_files": [".."]},
        {"working_dir": "tmp"},
        {"user": "a b"},
        {"memory": 256},
        {"memory": "256"},
        {"memory": "0m"},
        {"cpus": 0},
        {"pids": 0},
        {"expect_exit": []},
        {"expect_exit": 256},
        {"pull": "sometimes"},
    ],
    ids=repr,
)
def test_a_wrong_field_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DockerWith.model_validate({"image": "box:1", **fields})


def test_a_user_name_needs_a_password() -> None:
    with pytest.raises(ValidationError, match="belong together"):
        DockerConnection.model_validate({"username": "me"})
