import pytest
from pydantic import ValidationError

from cronny.docker import DockerRules
from cronny.settings import Settings
from cronny.sizes import format_size, parse_size


def test_nothing_is_open_that_the_operator_did_not_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///var/run/docker.sock")
    docker = Settings().docker
    assert (docker.host, docker.rules_of("acme")) == (None, DockerRules())


def test_the_rules_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRONNY_DOCKER_HOST", "unix:///run/docker.sock")
    monkeypatch.setenv("CRONNY_DOCKER_IMAGES", "ghcr.io/acme/**, !**:latest")
    monkeypatch.setenv("CRONNY_DOCKER_MEMORY", "512m")
    monkeypatch.setenv("CRONNY_DOCKER_TENANTS", '{"acme": {"images": ["alpine"], "memory": "2g"}}')
    docker = Settings().docker
    assert docker.rules == DockerRules(images=("ghcr.io/acme/**", "!**:latest"), memory=2**29)
    assert docker.rules_of("acme") == DockerRules(images=("alpine",), memory=2**31)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("docker_host", "/var/run/docker.sock"),
        ("docker_host", "unix://relative"),
        ("docker_host", "ssh://me@host"),
        ("docker_host", "tcp://me:pw@host:1"),
        ("docker_memory", "lots"),
        ("docker_cpus", 0),
        ("docker_tenants", "{"),
        ("docker_tenants", '{"acme": {"image": ["alpine"]}}'),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({name: value})


@pytest.mark.parametrize(
    ("text", "size"), [("1k", 1024), ("256m", 2**28), ("1g", 2**30), ("1536m", 1536 * 2**20)]
)
def test_a_size_is_read_and_written(text: str, size: int) -> None:
    assert (parse_size(text), format_size(size)) == (size, text)


@pytest.mark.parametrize("text", ["", "m", "1", "1mb", "-1m", "1.5g", "0m", "9999999g", " 1m", "1 m"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a size|is not between"):
        parse_size(text)
