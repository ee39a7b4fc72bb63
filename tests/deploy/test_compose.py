"""docker-compose.yml, as far as it can be judged without a registry of images."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from cronny.settings import Settings
from cronny.temporal.devserver import DYNAMIC_CONFIG

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ("api", "migrate", "worker")
SETTINGS = {f"CRONNY_{name}".upper() for name in Settings.model_fields}


def test_every_secret_must_be_set() -> None:
    secrets = re.findall(r"\$\{(\w*(?:PASSWORD|KEYS)\w*)(:\?set it .*?)?\}", TEXT)
    assert {name for name, message in secrets if not message} == set()
    assert {name for name, _ in secrets} == {"POSTGRES_PASSWORD", "CRONNY_SECRET_KEYS"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_for_services_that_there_are(name: str) -> None:
    assert set(SERVICES[name].get("depends_on", {})) <= set(SERVICES)


@pytest.mark.parametrize("name", OURS)
def test_a_process_of_ours_has_an_entry_point(name: str) -> None:
    python, flag, module = SERVICES[name]["command"]
    assert (python, flag, find_spec(module) is not None) == ("python", "-m", True)


@pytest.mark.parametrize("name", OURS)
def test_a_process_of_ours_is_given_settings_that_there_are(name: str) -> None:
    assert set(SERVICES[name]["environment"]) - SETTINGS == set()


def test_ports_are_published_on_loopback_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_files_that_are_mounted_are_there() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", ())]
    folders = {mount.split(":")[0] for mount in mounts if mount.startswith("./")}
    assert [folder for folder in folders if not (ROOT / folder).is_dir()] == []


def test_temporal_is_configured_as_the_development_server_is() -> None:
    given = yaml.safe_load((ROOT / "deploy" / "temporal" / "dynamic.yaml").read_text())
    expected = {name: True if value == "true" else value for name, value in DYNAMIC_CONFIG.items()}
    assert {name: values[0]["value"] for name, values in given.items()} == expected


def test_the_image_takes_all_that_the_wheel_is_made_of() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    needed = {"dsl", "workflows", "activities", "api", "cronny", "worker.py", "tools/temporal"}
    assert kept == needed | {"pyproject.toml", "requirements.lock", "README.md", "LICENSE"}
