import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from cronny.child import signal_group, start
from cronny.cli.programs import API_GRACE
from cronny.secrets import hash_key, new_key
from tests.api.server import PING
from tests.servers.ports import free_port

LIMIT = 30.0  # seconds


@contextmanager
def running(sqlite_url: str, folder: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """`python -m api` and its URL, once it answers."""
    port = free_port()
    environment = {
        **os.environ,
        "CRONNY_DATA_DIR": str(folder),
        "CRONNY_DATABASE_URL": sqlite_url,
        "CRONNY_TEMPORAL_ADDRESS": "127.0.0.1:1",
        "CRONNY_API_PORT": str(port),
        "CRONNY_SECRET_KEYS": new_key(),
    }
    with (folder / "log").open("w") as log:
        process = start([sys.executable, "-P", "-m", "api"], env=environment, stdout=log, stderr=log)
    try:
        _wait(process, f"http://127.0.0.1:{port}")
        yield process, f"http://127.0.0.1:{port}"
    finally:
        signal_group(process.pid, signal.SIGKILL)
        process.wait()


def _wait(process: "subprocess.Popen[str]", url: str) -> None:
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{url}/healthz")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the API does not answer")


def test_the_process_serves_and_stops_in_time_while_temporal_is_away(sqlite_url: str, tmp_path: Path) -> None:
    key = {"X-API-Key": "cny_test"}
    with sqlite3.connect(sqlite_url.removeprefix("sqlite+aiosqlite:///")) as database:
        database.execute(
            "insert into tenant (id, slug, pool, retention_days, created_at)"
            " values ('ten_1', 'acme', 'default', 90, 0)"
        )
        database.execute(
            "insert into api_key (id, tenant_id, name, digest, created_at) values ('k', 'ten_1', 't', ?, 0)",
            [hash_key("cny_test")],
        )
    with running(sqlite_url, tmp_path) as (process, url):
        text = f"{PING}schedule: every day"
        assert httpx.put(f"{url}/v1/actions/ping", content=text, headers=key).status_code == 201
        assert [httpx.get(f"{url}{path}").status_code for path in ("/docs", "/readyz")] == [200, 503]
        process.send_signal(signal.SIGTERM)
        process.wait(API_GRACE)
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert "Temporal was not told" in log


def test_a_missing_key_file_is_one_clear_line(tmp_path: Path) -> None:
    environment = {**os.environ, "CRONNY_DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "api"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "no secret keys" in done.stderr
