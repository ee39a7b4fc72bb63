"""The fires of the next hour of many schedules, on one core: arithmetic alone, without servers."""

import time
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice

from bench.report import Row
from cronny.scheduling import Compiled, compile_schedule
from dsl.schedule import Schedule

COUNT = 10_000
NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
ZONES = ("UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")
RULES = (
    "every day at 09:00",
    "every weekday at 09:00 and 17:30",
    "every month on the last friday at 17:30",
    "every month on the last business day at 09:00 except 24 december",
    "every year on 24 december at 18:00",
    "every 5 minutes",
    "every 90 seconds",
    "every 15 minutes between 09:00 and 17:00 on weekdays",
    "*/5 * * * *",
    "0 9-17 * * mon-fri",
    "every day at 09:00; 30 12 1 * *; every 7 hours",
    "every hour except saturday and sunday 100000 times",
)


def next_hour(count: int = COUNT, repeat: int = 3) -> list[Row]:
    """How long it takes to read and compile so many schedules, and to find their fires."""
    row = Row(f"next hour of {count} schedules", "cronny", "find_s", "cronny")
    for _ in range(repeat):
        began = time.process_time()
        compiled = _compiled(count)
        ready = time.process_time()
        fires = sum(1 for rule in compiled for _ in rule.between(NOW, NOW + HOUR))
        found = time.process_time()
        row.add(find_s=found - ready, compile_s=ready - began, fires=fires)
    return [row]


def _compiled(count: int) -> list[Compiled]:
    phrases = islice(((rule, zone) for zone in cycle(ZONES) for rule in RULES), count)
    # Saved at different instants, so that no two schedules are alike.
    return [
        compile_schedule(Schedule.model_validate(f"{rule}; {zone}"), NOW - timedelta(minutes=number))
        for number, (rule, zone) in enumerate(phrases)
    ]
