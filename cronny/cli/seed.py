"""`cronny seed`: the demo once more."""

import asyncio
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from cronny.cli.client import read_settings
from cronny.cli.client_file import Known, leave_for_client, read_known
from cronny.cli.terminal import AsJson, print_json
from cronny.demo import demo_actions, seed
from cronny.errors import SettingsError
from cronny.settings import Settings

app = typer.Typer(add_completion=False)


@app.command(name="seed")
def load(
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the databases and keys.")] = None,
    as_json: AsJson = False,
) -> None:
    """Load the demo again into the instance that runs on the data folder."""
    settings = read_settings({"data_dir": data_dir} if data_dir else {})
    known = read_known(settings)
    if known is None:
        raise SettingsError(f"nothing has run on {settings.data_dir} yet; run `cronny up`")
    settings = _as_it_runs(settings, known)
    leave_for_client(settings, asyncio.run(seed(settings, known.key)))
    names = list(demo_actions(settings.api_url))
    if as_json:
        print_json({"url": settings.api_url, "actions": list(names)})
    else:
        typer.echo(f"the demo is loaded: {', '.join(names)}")


def _as_it_runs(settings: Settings, known: Known) -> Settings:
    """The settings with the address that `cronny up` was given by its flags."""
    place = urlsplit(known.url)
    return settings.model_copy(update={"api_host": place.hostname, "api_port": place.port})
