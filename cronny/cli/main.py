"""`cronny`: the commands by name, each imported only when it is called."""

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from cronny.cli.complaint import complain
from cronny.cli.exits import Exit
from cronny.errors import CronnyError

COMMANDS: Mapping[str, tuple[str, str]] = {
    "up": ("cronny.cli.up", "Start Temporal, the API and a worker, and stop them with Ctrl-C."),
    "seed": ("cronny.cli.seed", "Load the demo again into the instance that runs on the data folder."),
    "validate": ("cronny.cli.validate", "Check actions without a server: every problem at its place."),
    "schema": ("cronny.cli.schema", "Print the JSON Schema of actions, for editors."),
    "next": ("cronny.cli.next", "Show when a rule fires next, without a server."),
    "apply": ("cronny.cli.apply", "Upload actions from YAML files and folders."),
    "actions": ("cronny.cli.actions", "List, show, run and delete actions, and their versions."),
    "schedules": ("cronny.cli.schedules", "List, show, pause, resume, trigger and delete schedules."),
    "triggers": ("cronny.cli.triggers", "List, show, watch and cancel triggers."),
    "events": ("cronny.cli.events", "List who did what, and why."),
    "limits": ("cronny.cli.limits", "Show what the tenant may have at the most, and what it has."),
    "calendars": ("cronny.cli.calendars", "List, show, set and delete calendars, and list their dates."),
    "approvals": ("cronny.cli.approvals", "List, show and decide what stages wait for."),
    "webhooks": ("cronny.cli.webhooks", "List, show, set, rotate and delete webhooks."),
    "connections": ("cronny.cli.connections", "List, show, set, test and delete connections."),
    "vars": ("cronny.cli.variables", "List, set and delete variables."),
    "secrets": ("cronny.cli.secrets", "List, set and delete secrets, and rotate the keys that seal them."),
    "keys": ("cronny.cli.keys", "List, make and revoke API keys."),
}


class Commands(TyperGroup):
    """The commands; what `up` imports would make `--help` and `next` slow."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """What the help shows of a command."""
        _, summary = COMMANDS.get(cmd_name, ("", ""))
        return TyperCommand(cmd_name, help=summary) if summary else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command itself, with the arguments that are left for it."""
        name, known, rest = super().resolve_command(ctx, args)
        if name is None or known is None:
            return name, known, rest
        module, _ = COMMANDS[name]
        return name, get_command(import_module(module).app), rest


app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"cronny {version('cronny')}")
        raise typer.Exit


@app.callback()
def cronny(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """A durable, punctual, multi-tenant scheduler on Temporal."""


def main() -> NoReturn:
    """Run the command line; every error is one line on standard error and an exit code."""
    code = _flushed(run(sys.argv[1:]))
    # Temporal's SDK has threads that can crash an interpreter which ends in order.
    os._exit(code)


def run(arguments: list[str]) -> int:
    """The exit code of a command line."""
    try:
        return int(app(arguments, prog_name="cronny", standalone_mode=False) or 0)
    except CronnyError as error:
        complain(str(error))
        return Exit.FAILED
    except (KeyboardInterrupt, typer.Abort):  # Ctrl-C, or a prompt that nobody answered.
        return Exit.INTERRUPTED
    except BrokenPipeError:  # `cronny … | head` has seen enough.
        return Exit.STOPPED
    except Exception as error:
        return _ended_by(error)


def _ended_by(error: Exception) -> int:
    # Each version of typer keeps its usage errors elsewhere; this is what they have in common.
    describe = getattr(error, "format_message", None)
    if describe is not None:
        if message := describe():  # Without one, the help was asked for by leaving everything out.
            complain(message)
        return Exit.USAGE
    if isinstance(error, OSError):  # Such as a full disk below standard output.
        complain(error.strerror or str(error))
        return Exit.FAILED
    return _unexpected(error)


def _flushed(code: int) -> int:
    """The exit code, or that of a failure when the output could not be written."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return code
    except OSError as error:
        complain(error.strerror or str(error))
        return Exit.FAILED
    return code


def _unexpected(error: Exception) -> int:
    """One line for a mistake of ours too; whoever looks into it asks for more."""
    if os.environ.get("CRONNY_TRACEBACK"):
        raise error
    complain(f"unexpected {type(error).__name__}: {error} (CRONNY_TRACEBACK=1 shows where)")
    return Exit.FAILED
