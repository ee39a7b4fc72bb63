"""What a worker counts, in the form that Prometheus reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

from cronny.errors import SettingsError

# Seconds: a held trigger is a few ms late, one that a dead worker held some ten seconds.
LATENESS = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
BATCHES = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class Metrics:
    """The counters of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.repairs = Counter(
            "cronny_repairs",
            "What the watchdog found broken and dealt with.",
            ["tenant", "schedule", "kind"],
            registry=self.registry,
        )
        self.rounds = Counter(
            "cronny_watchdog_rounds",
            "Rounds of the watchdog: done, failed, or left to the holder of the lease.",
            ["outcome"],
            registry=self.registry,
        )
        self.triggers = Counter(
            "cronny_triggers", "Triggers that came into a state.", ["state"], registry=self.registry
        )
        self.lateness = Histogram(
            "cronny_lateness_seconds",
            "From the due of a trigger to its claim.",
            buckets=LATENESS,
            registry=self.registry,
        )
        self.purged = Counter(
            "cronny_purged",
            "Rows deleted because their retention was over.",
            ["kind"],
            registry=self.registry,
        )
        self.postponed = Counter(
            "cronny_postponed",
            "Allocations put off because their tenant had more triggers than start on time.",
            ["tenant"],
            registry=self.registry,
        )
        self.reaped = Counter(
            "cronny_reaped",
            "Containers, and volumes of containers, that were left over and removed.",
            registry=self.registry,
        )
        self.claims = Histogram(
            "cronny_claims", "Claims sent as one statement.", buckets=BATCHES, registry=self.registry
        )

    def executing(self, planned: datetime, now: datetime) -> None:
        """Count a trigger that was claimed."""
        self.triggers.labels("executing").inc()
        self.lateness.observe(max((now - planned).total_seconds(), 0))


@contextmanager
def exposed(metrics: Metrics, host: str, port: int | None) -> Iterator[None]:
    """`http://HOST:PORT/metrics` answers while the block runs; without a port, nothing does."""
    if port is None:
        yield
        return
    try:
        server, thread = start_http_server(port, host, metrics.registry)
    except OSError as error:
        message = f"CRONNY_METRICS_PORT: cannot listen on {host}:{port}: {error.strerror or error}"
        raise SettingsError(message) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
