"""The value of a variable or a secret: from standard input or asked for, never from the command line.

What stands on a command line is seen by everybody on the machine, and kept in the shell's history.
"""

import sys

import typer

from cronny.errors import SettingsError

MOST = 1 << 20  # bytes read; the server takes less, and says so


def given_value(prompt: str, *, is_secret: bool) -> str:
    """The text that is given, without the end of its last line."""
    if sys.stdin.isatty():
        answer: str = typer.prompt(prompt, hide_input=is_secret, err=True)
        return answer
    try:
        text = sys.stdin.buffer.read(MOST).decode()
    except UnicodeDecodeError:
        raise SettingsError("standard input is no text in UTF-8; send base64 of what is binary") from None
    return text.removesuffix("\n").removesuffix("\r")
