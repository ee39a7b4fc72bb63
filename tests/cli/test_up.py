"""`cronny up`: everything comes up, stops in order, leaves nothing, and continues."""

import json
import signal
import subprocess
from pathlib import Path

import httpx
import psutil
import pytest

from tests.cli.command import COMMAND, plain_environment
from tests.cli.conftest import Instance
from tests.cli.running import Place, running

TICK = """\
version: 1
name: tick
schedule: every 1 second
stages: [{id: say, uses: set, with: {values: {x: 1}}}]
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "data")


def test_what_up_prints_is_where_everything_answers(running_instance: Instance) -> None:
    place, words = running_instance.place, running_instance.up.output.split()
    api, ui = f"http://127.0.0.1:{place.port}", f"http://127.0.0.1:{place.ui_port}"
    assert [word for word in (api, f"{api}/docs", ui, place.key) if word not in words] == []
    headers = {"Authorization": f"Bearer {place.key}"}
    places = [f"{api}/docs", f"{api}/readyz", f"{api}/v1/actions", ui]
    assert [httpx.get(url, headers=headers, trust_env=False).status_code for url in places] == [200] * 4


def test_the_demo_reaches_loopback_and_up_says_so(running_instance: Instance) -> None:
    ran = running_instance.place.cronny("actions", "run", "check_api", "--wait", "--json")
    stages = {stage["id"]: stage["state"] for stage in json.loads(ran.out)["stages"]}
    assert (ran.code, stages) == (0, {"ask": "completed", "well": "completed", "ill": "skipped"})
    assert "stages may reach 127.0.0.1 and ::1" in running_instance.up.output


def test_ctrl_c_leaves_nothing_and_a_second_start_continues(place: Place) -> None:
    with running(place) as up:
        family = up.family()
        assert place.cronny("apply", "-f", "-", stdin=TICK).code == 0
        key, last = place.key, _completed(place, 1)[-1]
        assert (up.stop(signal.SIGINT), _alive(family)) == (0, [])
    with running(place):
        numbers = _completed(place, last + 3)
    assert (place.key, numbers) == (key, list(range(1, len(numbers) + 1)))


def test_a_service_that_dies_is_started_again(place: Place, temporal: str) -> None:
    with running(place, "--temporal-address", temporal) as up:
        assert [one for one in up.family() if "temporal" in one.name()] == []
        next(one for one in up.family() if one.cmdline()[-2:] == ["-m", "worker"]).kill()
        up.read_until("the worker ended with code -9; starting it again in 0.5 s")
        up.read_until("serving a tenant")
        family = up.family()
        assert (up.stop(signal.SIGTERM), _alive(family)) == (0, [])


def test_a_kill_leaves_nothing_behind(place: Place, temporal: str) -> None:
    with running(place, "--temporal-address", temporal, "--no-demo") as up:
        family = up.family()
        up.process.kill()
        _, alive = psutil.wait_procs(family, timeout=10)
    assert _alive(alive) == []
    known = {"url": f"http://127.0.0.1:{place.port}"}
    assert json.loads((place.folder / "client.json").read_text()) == known
    assert ("none yet" in up.output, "127.0.0.1 and ::1" in up.output) == (True, False)


def _completed(place: Place, count: int) -> list[int]:
    """The numbers of the completed triggers of `tick`, once there are so many."""
    command = [str(COMMAND), "triggers", "watch", "--schedule", "tick", "--limit", "500", "--json"]
    env = plain_environment() | {"CRONNY_DATA_DIR": str(place.folder)}
    numbers: set[int] = set()
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env, text=True) as watching:
        for line in watching.stdout or ():
            trigger = json.loads(line)
            numbers |= {trigger["number"]} if trigger["state"] == "completed" else set()
            if len(numbers) >= count:
                break
        watching.send_signal(signal.SIGINT)
    return sorted(numbers)


def _alive(family: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
