"""Who is allocated at once and who waits, in a simulation of a machine and its tenants."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cronny.scheduling.admission import BURST, FIRST_RATE, LEAST_RATE, Admission

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MACHINE = 30  # triggers that it starts in a second
DELAY = 1  # seconds after which a trigger should have got through


@dataclass
class Machine:
    """Gets so many triggers through in a second, in the order of their allocation."""

    admission: Admission = field(default_factory=Admission)
    queue: list[tuple[int, str]] = field(default_factory=list)
    started: Counter[str] = field(default_factory=Counter)
    longest: list[int] = field(default_factory=list)

    def run(self, seconds: int, **rates: int) -> None:
        """Let each tenant ask for so many fires a second, from a schedule each."""
        asked = {(tenant, number): NOW for tenant, rate in rates.items() for number in range(rate)}
        for second in range(seconds):
            now = NOW + second * SECOND
            for (tenant, number), instant in list(asked.items()):
                if instant <= now:
                    asked[tenant, number] = self._ask(tenant, str(number), second)
            through, self.queue = self.queue[:MACHINE], self.queue[MACHINE:]
            self.started.update(tenant for _, tenant in through)
            self.longest.append(len(self.queue))
            late = {tenant: since for since, tenant in through if second - since > DELAY}
            self.admission.observe({name: NOW + since * SECOND for name, since in late.items()}, now)

    def _ask(self, tenant: str, schedule: str, second: int) -> datetime:
        now = NOW + second * SECOND
        later = self.admission.postponed(tenant, schedule, 1, now)
        if later is not None:
            return later
        self.queue.append((second, tenant))
        return now + SECOND


def test_a_tenant_below_its_rate_never_waits() -> None:
    machine = Machine()
    machine.run(60, light=int(FIRST_RATE))
    assert machine.started["light"] == 60 * FIRST_RATE


def test_a_burst_is_let_through_and_what_exceeds_it_gets_a_place_each() -> None:
    admission = Admission()
    instants = [admission.postponed("acme", str(number), 1, NOW) for number in range(BURST + 4)]
    waits = [(instant - NOW).total_seconds() for instant in instants if instant is not None]
    assert instants[: BURST + 1] == [None] * (BURST + 1)
    assert waits == [1 / FIRST_RATE, 2 / FIRST_RATE, 3 / FIRST_RATE]


def test_who_asks_again_at_its_instant_is_let_through_and_before_it_keeps_its_place() -> None:
    admission = Admission()
    admission.postponed("acme", "big", BURST + 2 * int(FIRST_RATE), NOW)
    later = admission.postponed("acme", "small", 1, NOW)
    assert later == NOW + 2 * SECOND
    again = [admission.postponed("acme", "small", 1, instant) for instant in (NOW, later - SECOND, later)]
    assert again == [later, later, None]


def test_who_has_long_to_wait_asks_half_way_and_profits_from_a_rate_that_has_grown() -> None:
    admission = Admission()
    admission.postponed("acme", "big", BURST + 60 * int(FIRST_RATE), NOW)
    later, asked = admission.postponed("acme", "small", 1, NOW), []
    while later is not None:
        asked.append((later - NOW).total_seconds())
        for second in range(int(asked[-1])):
            admission.observe({}, NOW + second * SECOND)
        later = admission.postponed("acme", "small", 1, later)
    assert asked[0] == 30
    assert asked[-1] < 50
    assert len(asked) < 8


def test_the_rate_of_a_tenant_grows_to_what_it_needs() -> None:
    machine = Machine()
    machine.run(60, busy=28)
    assert machine.admission.rate("busy") > 28
    assert machine.started["busy"] > 60 * 26


def test_a_flood_keeps_the_machine_busy_and_its_queue_short() -> None:
    machine = Machine()
    machine.run(300, flood=90)
    assert machine.started["flood"] > 0.75 * 300 * MACHINE
    assert max(machine.longest) < 4 * MACHINE


def test_beside_a_flood_a_light_tenant_never_waits() -> None:
    machine = Machine()
    machine.run(300, flood=90, light=2)
    assert machine.started["light"] > 2 * (300 - 5)


def test_two_floods_share_the_machine_alike() -> None:
    machine = Machine()
    machine.run(600, one=90, two=90)
    assert 0.8 < machine.started["one"] / machine.started["two"] < 1.25


def test_a_rate_is_cut_once_for_what_was_allocated_before_and_never_to_nothing() -> None:
    admission, rates = Admission(), []
    for second in range(200):
        now = NOW + second * SECOND
        admission.postponed("acme", "x", 1, now)
        admission.observe({"acme": now - 6 * SECOND}, now)
        rates.append(admission.rate("acme"))
    assert len(set(rates[:7])) == 1
    assert rates[7] < rates[6]
    assert rates[-1] == LEAST_RATE


def test_a_clock_that_was_set_back_makes_nobody_wait() -> None:
    admission = Admission()
    admission.postponed("acme", "big", 100 * BURST, NOW)
    assert admission.postponed("acme", "small", 1, NOW - timedelta(hours=1)) is None
