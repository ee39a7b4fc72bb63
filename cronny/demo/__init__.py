"""The demo: a tenant, a key for it, and actions that show what Cronny does without anything from outside."""

import asyncio
from importlib.resources import files

from cronny.cli.client import Client
from cronny.clock import wall_clock
from cronny.demo.tenant import ensure_tenant
from cronny.settings import Settings

WRITTEN_FOR = "http://127.0.0.1:8080"  # what the files call the API; each of them is valid as it stands


async def seed(settings: Settings, known_key: str | None) -> str:
    """Loads the demo into a running instance, as often as wanted; gives the key of its tenant."""
    key = await ensure_tenant(settings.database_url, known_key, wall_clock())
    await asyncio.to_thread(_upload, Client(settings.api_url, key), settings.api_url)
    return key


def demo_actions(api_url: str) -> dict[str, str]:
    """The texts of the demo's actions by name."""
    folder = files(__name__)
    found = sorted(file.name for file in folder.iterdir() if file.name.endswith(".yaml"))
    return {
        name.removesuffix(".yaml"): (folder / name).read_text("utf-8").replace(WRITTEN_FOR, api_url)
        for name in found
    }


def _upload(client: Client, api_url: str) -> None:
    for name, text in demo_actions(api_url).items():
        client.put("actions", name, content=text.encode())
