"""Every arm of the bench, Cronny first."""

from bench.arm import Arm
from bench.arms.cronny import Cronny
from bench.arms.peers import APSCHEDULER, DBOS, Restate, Told
from bench.arms.temporal import Schedules, Sleepers

CRONNY = Cronny()
BARE_SLEEPERS = Sleepers("bare sleepers", has_child=False)
BARE_CHILD = Sleepers("bare parent + child", has_child=True)
TEMPORAL_SCHEDULES = Schedules()
DBOS_SLEEP = Told("dbos sleep", "dbos", DBOS, ("sleep_once", "sleep_recurring"))
DBOS_SCHEDULES = Told("dbos schedules", "dbos", DBOS, ("delay_once", "schedule_recurring"))
RESTATE = Restate()
APS = Told("apscheduler", "apscheduler", APSCHEDULER, ("once", "recurring"))

ALL: tuple[Arm, ...] = (
    CRONNY,
    BARE_SLEEPERS,
    BARE_CHILD,
    TEMPORAL_SCHEDULES,
    DBOS_SLEEP,
    DBOS_SCHEDULES,
    RESTATE,
    APS,
)
