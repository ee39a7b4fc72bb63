"""`cronny schema`: the JSON Schema of actions, for editors."""

import typer

from activities.schema import schema_text
from activities.stages.catalogue import KINDS

app = typer.Typer(add_completion=False)


@app.command()
def schema() -> None:
    """Print the JSON Schema of actions, for editors.

    They complete and check actions with it; a first line `# yaml-language-server: $schema=FILE` names it.
    """
    typer.echo(schema_text(KINDS), nl=False)
