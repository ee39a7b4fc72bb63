"""The programs that make up a running Cronny."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from cronny.cli.service import Program
from cronny.settings import Settings
from cronny.temporal.devserver import DevServer

# In all less than the 10 seconds in which Ctrl-C ends everything.
WORKER_GRACE = 5.0
API_GRACE = 2.0
TEMPORAL_GRACE = 2.0


def devserver(settings: Settings, binary: Path) -> DevServer:
    """The development server of this installation."""
    return DevServer(
        binary=binary,
        database=settings.data_dir / "temporal.db",
        port=settings.temporal_port,
        ui_port=settings.temporal_ui_port,
        namespace=settings.temporal_namespace,
    )


def temporal(server: DevServer) -> Program:
    """Temporal's development server."""
    return Program("temporal", server.command, server.environment, TEMPORAL_GRACE)


def api(settings: Settings) -> Program:
    """The HTTP server."""
    return Program("api", _module("api"), environment(settings), API_GRACE)


def worker(settings: Settings) -> Program:
    """The worker of every role."""
    return Program("worker", _module("worker"), environment(settings), WORKER_GRACE)


def environment(settings: Settings) -> Mapping[str, str]:
    """This process's environment, with the settings and a log that can be rendered."""
    return {
        **os.environ,
        "CRONNY_DATA_DIR": str(settings.data_dir),
        "CRONNY_DATABASE_URL": settings.database_url,
        "CRONNY_TEMPORAL_ADDRESS": settings.temporal_target,
        "CRONNY_TEMPORAL_NAMESPACE": settings.temporal_namespace,
        "CRONNY_API_HOST": settings.api_host,
        "CRONNY_API_PORT": str(settings.api_port),
        "CRONNY_EGRESS_ALLOW": ",".join(map(str, settings.egress_allow)),
        "CRONNY_LOG_FORMAT": "json",
        "PYTHONUNBUFFERED": "1",
        "PYTHONTZPATH": "",  # Every process computes with the pinned tzdata.
    }


def _module(name: str) -> list[str]:
    # -P: a folder `api` where the user happens to be is not ours.
    return [sys.executable, "-P", "-m", name]
