"""Triggers that are due while something is killed, and what has to be true of them afterwards."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.tenant import TenantClient, until
from tests.servers import http
from tests.servers.http import Reply, Request

SECOND = timedelta(seconds=1)
CALL = """\
version: 1
name: call
stages:
  - id: call
    uses: http
    with: {{method: POST, url: "{url}/called"}}
"""
TAKES = 0.1  # seconds of each call, so that a kill finds some of them under way
BACKLOG = 20.0  # late triggers that are caught up in a second, at the least


@dataclass(frozen=True)
class Form:
    """How much of it: one-off schedules spread over the span, and others that fire each second of it."""

    oneoff: int
    frequent: int
    span: int  # seconds

    @property
    def count(self) -> int:
        return self.oneoff + self.frequent * self.span


SHORT = Form(oneoff=30, frequent=5, span=6)
LONG = Form(oneoff=150, frequent=5, span=30)


@dataclass
class Calls:
    """The calls that a server received: when, by idempotency key."""

    url: str = ""
    slow: float = TAKES  #: Seconds of a call of `/slow`.
    at: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, request: Request) -> Reply:
        with self._lock:
            self.at[request.headers["idempotency-key"]].append(datetime.now(UTC))
        return Reply(
            200,
            b"{}",
            {"content-type": "application/json"},
            delay=self.slow if request.path == "/slow" else TAKES,
        )

    def keys(self) -> set[str]:
        with self._lock:
            return set(self.at)

    def repeated(self) -> dict[str, list[datetime]]:
        """The calls that came more than once."""
        with self._lock:
            return {key: times for key, times in self.at.items() if len(times) > 1}


@contextmanager
def receiving() -> Iterator[Calls]:
    """A server that notes its calls."""
    calls = Calls()
    with http.running(calls.take) as server:
        calls.url = server.url
        yield calls


def upload(tenant: TenantClient, calls: Calls, form: Form) -> datetime:
    """Make the schedules; the first due comes a little later."""
    tenant.put_action("call", CALL.format(url=calls.url))
    begin = _whole(datetime.now(UTC)) + (3 + form.count // 40) * SECOND
    rules: dict[str, Any] = {
        f"o{i}": {"at": (begin + i * form.span // form.oneoff * SECOND).isoformat()}
        for i in range(form.oneoff)
    }
    ends = {"start": begin.isoformat(), "end": (begin + (form.span - 1) * SECOND).isoformat()}
    rules |= {f"f{i}": {"every": "1s", **ends} for i in range(form.frequent)}
    with ThreadPoolExecutor(4) as threads:
        list(
            threads.map(
                lambda one: tenant.put_schedule(one[0], action="call", schedule=one[1]), rules.items()
            )
        )
    assert datetime.now(UTC) < begin, "the upload took too long to be followed by the load"
    return begin


def wait_until(instant: datetime) -> None:
    until(lambda: datetime.now(UTC), lambda now: now >= instant)


def ended(tenant: TenantClient, count: int, limit: float) -> list[dict[str, Any]]:
    """The ledger, once so many triggers have ended."""

    def is_over(rows: Sequence[dict[str, Any]]) -> bool:
        return len(rows) >= count and all(row["state"] not in ("scheduled", "executing") for row in rows)

    return until(tenant.triggers, is_over, limit)


def check(rows: Sequence[dict[str, Any]], calls: Calls, form: Form, restarted: datetime) -> None:
    """Nothing is lost or early, nothing happened without a row, and everything was caught up in time."""
    assert [row for row in rows if row["state"] != "completed"] == []
    fires = {(row["schedule"], row["due"]) for row in rows}
    assert (len(rows), len(fires)) == (form.count, form.count)
    assert calls.keys() == {f"{row['id']}/call" for row in rows}
    assert [row for row in rows if row["lateness_ms"] < 0] == []
    patience = 15 + form.count / BACKLOG
    slow = [row for row in rows if lag(row, restarted) > patience]
    assert slow == []


def lag(row: dict[str, Any], restarted: datetime) -> float:
    """Seconds from the due, or from the restart if that came later, to the end."""
    begin = max(restarted, datetime.fromisoformat(row["due"]))
    return (datetime.fromisoformat(row["finished"]) - begin).total_seconds()


def _whole(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)
