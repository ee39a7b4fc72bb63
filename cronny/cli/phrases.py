"""Rules as phrases on the command line."""

import typer

from cronny.cli.complaint import complain
from cronny.cli.exits import Exit
from dsl.phrases import read_phrase
from dsl.problems import Problem
from dsl.schedule import Schedule, read_schedule
from dsl.zones import find_zone, zone_hint


def phrase_in(phrase: str, timezone: str | None) -> str:
    """A phrase that can be read, in a zone if it names none; ends the command if it is wrong."""
    read_rule(phrase)
    if timezone is None:
        return phrase
    if "timezone" in read_phrase(phrase)[0].columns:
        raise typer.BadParameter("--timezone: the rule names a time zone already")
    return f"{phrase}; {_zone(timezone)}"  # Bounds and dates without an offset are in it too.


def read_rule(phrase: str) -> Schedule:
    """The schedule of a phrase; points at what is wrong with it and ends the command."""
    schedule, problems = read_schedule(phrase)
    if schedule is None:
        _point(phrase, problems)
        raise typer.Exit(Exit.FAILED)
    return schedule


def _zone(name: str) -> str:
    found = find_zone(name)
    if found is None:
        raise typer.BadParameter(f"--timezone: no time zone '{name}'; {zone_hint(name)}")
    return found


def _point(rule: str, problems: list[Problem]) -> None:
    """The rule once for each problem, with a caret below the word."""
    for problem in problems:
        complain(f"{problem.where}: {problem.what}{f'; {problem.hint}' if problem.hint else ''}")
        shown = "".join(letter if letter.isprintable() else " " for letter in rule)
        typer.echo(f"  {shown}\n  {' ' * (problem.column - 1)}^", err=True)
