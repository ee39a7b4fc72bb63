"""Temporal's development server: how it is started, with the settings that make it quick enough."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cronny.names import SEARCH_ACTION, SEARCH_SCHEDULE, SEARCH_TENANT

SEARCH_ATTRIBUTES = (SEARCH_TENANT, SEARCH_SCHEDULE, SEARCH_ACTION)
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL")
DYNAMIC_CONFIG: Mapping[str, int | str] = {
    # The default of 20 polls a second makes each stage of a chain wait 50 ms twice.
    "history.transferProcessorMaxPollRPS": 2000,
    "history.timerProcessorMaxPollRPS": 2000,
    # One task queue a tenant: each polls, and a herd starts its workflows in the same seconds.
    "frontend.namespaceCount": 20000,
    "frontend.rps": 20000,
    "frontend.namespaceRPS": 20000,
    "frontend.namespaceRPS.visibility": 500,
    "history.rps": 30000,
    "matching.rps": 20000,
    "matching.persistenceMaxQPS": 45000,
    "matching.numTaskqueueReadPartitions": 1,
    "matching.numTaskqueueWritePartitions": 1,
    # The system queue is shared: tenants take turns on it.
    "matching.useNewMatcher": "true",
    "matching.enableFairness": "true",
}


@dataclass(frozen=True)
class DevServer:
    """One development server: its binary, its file and its ports, all on loopback."""

    binary: Path
    database: Path
    port: int
    ui_port: int
    namespace: str = "default"

    @property
    def address(self) -> str:
        """Where clients connect to."""
        return f"127.0.0.1:{self.port}"

    @property
    def ui_url(self) -> str:
        """Temporal's web UI."""
        return f"http://127.0.0.1:{self.ui_port}"

    @property
    def command(self) -> list[str]:
        """The arguments that start it."""
        return [
            *(str(self.binary), "server", "start-dev", "--ip", "127.0.0.1", "--log-level", "error"),
            *("--db-filename", str(self.database), "--namespace", self.namespace),
            *("--port", str(self.port), "--ui-port", str(self.ui_port)),
            *_repeated("--sqlite-pragma", PRAGMAS),
            *_repeated("--search-attribute", (f"{name}=Keyword" for name in SEARCH_ATTRIBUTES)),
            *_repeated("--dynamic-config-value", (f"{key}={value}" for key, value in DYNAMIC_CONFIG.items())),
        ]

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment, with fewer garbage collections for some more memory."""
        return {**os.environ, "GOGC": "400"}


def _repeated(flag: str, values: Iterable[str]) -> list[str]:
    return [part for value in values for part in (flag, value)]
