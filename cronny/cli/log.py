"""One readable log of several services, each line behind the name of the service it comes from."""

import json

from pydantic import JsonValue
from rich.console import Console
from rich.text import Text

COLOURS = {"temporal": "magenta", "api": "cyan", "worker": "green", "cronny": "bold yellow"}
WIDTH = max(map(len, COLOURS))
HIDDEN = ("logger", "color_message")  # the service's name says enough; uvicorn says everything twice
TIME, LEVEL, MESSAGE = ("time", "timestamp", "ts"), ("level", "severity"), ("message", "event", "msg")


class Log:
    """Writes lines to a console."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str) -> None:
        """A line of `cronny up` itself."""
        self.line("cronny", text)

    def show(self, text: str) -> None:
        """Text for the person at the terminal, as it is."""
        self._console.print(Text(text), soft_wrap=True)

    def line(self, service: str, text: str) -> None:
        """A line that a service wrote."""
        name = (f"{service:<{WIDTH}} ", COLOURS.get(service, ""))
        self._console.print(Text.assemble(name, ("│ ", "dim"), readable(text)), soft_wrap=True)


def readable(line: str) -> str:
    """A JSON record as `HH:MM:SS LEVEL message key=value`, the rest as it is; no control codes."""
    try:
        record = json.loads(line) if line.startswith("{") else None
    except ValueError:
        record = None
    return _printable(_sentence(record) if isinstance(record, dict) else line)


def _sentence(record: dict[str, JsonValue]) -> str:
    time, level, message = (_take(record, names) for names in (TIME, LEVEL, MESSAGE))
    clock = time.partition("T")[2][:8]
    fields = (
        f"{key}={_shown(value)}"
        for key, value in record.items()
        if key not in HIDDEN and value not in (None, "")
    )
    return " ".join(part for part in (clock, level.upper(), message, *fields) if part)


def _take(record: dict[str, JsonValue], names: tuple[str, ...]) -> str:
    return next((str(record.pop(name)) for name in names if name in record), "")


def _shown(value: JsonValue) -> str:
    return value if isinstance(value, str) and " " not in value else json.dumps(value, ensure_ascii=False)


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
