"""Errors as the person at the terminal reads them: one line on standard error."""

import typer


def complain(message: str) -> None:
    """Say what went wrong."""
    typer.echo(f"cronny: {one_line(message)}", err=True)


def one_line(text: str) -> str:
    """The text with every run of spaces and control codes as one space."""
    return " ".join(printable(text).split())


def printable(text: str) -> str:
    """The text without control codes: what a server sent must not steer the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
