"""`cronny seed`: the demo once more."""

import asyncio
from typing import Annotated, Any

import typer

from cronny.cli.client import read_settings
from cronny.cli.client_file import known_key, leave_for_client
from cronny.cli.terminal import AsJson, print_json
from cronny.demo import demo_actions, seed
from cronny.errors import SettingsError

app = typer.Typer(add_completion=False)


@app.command(name="seed")
def load(
    port: Annotated[int | None, typer.Option(help="Port of the API.")] = None,
    data_dir: Annotated[str | None, typer.Option(help="Folder of the databases and keys.")] = None,
    as_json: AsJson = False,
) -> None:
    """Load the demo again into a running instance; it changes nothing that is as it should be."""
    flags: dict[str, Any] = {"api_port": port, "data_dir": data_dir}
    settings = read_settings({name: value for name, value in flags.items() if value is not None})
    if not settings.key_file.exists() and settings.secret_keys is None:
        raise SettingsError(f"no instance has run on {settings.data_dir}; run `cronny up`")
    key = asyncio.run(seed(settings, known_key(settings)))
    leave_for_client(settings, key)
    names = list(demo_actions(settings.api_url))
    if as_json:
        print_json({"url": settings.api_url, "actions": list(names)})
    else:
        typer.echo(f"the demo is loaded: {', '.join(names)}")
