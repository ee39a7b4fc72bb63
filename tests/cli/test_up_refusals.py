"""What keeps `cronny up` from starting is one line and a code of its own."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cronny.cli.main import run
from tests.cli.command import Ran, run_cronny
from tests.cli.running import Place
from tests.servers.ports import free_port

pytestmark = pytest.mark.usefixtures("_signals")


@pytest.fixture
def _signals() -> Iterator[None]:
    """Puts back what `up` does with SIGTERM when it is called within this process."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "data")


def test_a_busy_port_is_code_3(place: Place) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:
        port = server.getsockname()[1]
        ran = run_cronny("up", *place.flags, "--port", str(port))
    why = f"port {port} of 127.0.0.1 for the API is taken by another program; choose another with --port"
    assert ran == Ran(3, "", f"cronny up: {why}\n")


def test_no_way_to_a_temporal_is_code_4(place: Place, tmp_path: Path) -> None:
    env = {"PATH": "", "XDG_CACHE_HOME": str(tmp_path), "HTTPS_PROXY": "http://127.0.0.1:1"}
    ran = run_cronny("up", *place.flags, "--no-demo", env=env)
    assert (ran.code, ran.err.count("\n"), "install `temporal` or Go" in ran.err) == (4, 1, True)
    assert "no download: Failed starting Temporal dev server" in ran.out


@pytest.mark.parametrize(
    ("address", "reason"), [("127.0.0.1:1", "connection refused"), ("nowhere", "it is not HOST:PORT")]
)
def test_a_temporal_that_does_not_answer_is_code_5(address: str, reason: str, place: Place) -> None:
    ran = run_cronny("up", *place.flags, "--temporal-address", address, "--no-demo")
    assert ran == Ran(5, "", f"cronny up: Temporal at {address} cannot be reached: {reason}\n")


def test_a_folder_that_cannot_be_written_is_code_6(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert run(["up", *Place(file / "data").flags]) == 6
    assert (
        capsys.readouterr().err == f"cronny up: cannot write the data folder {file}/data: Not a directory\n"
    )


def test_two_on_one_folder_is_code_7(instance: Place, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["up", *instance.flags])
    said = f"cronny up: another `cronny up` is running on {instance.folder}\n"
    assert (code, capsys.readouterr()) == (7, ("", said))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://127.0.0.1/x", "the database must be `sqlite:///…` or `postgresql://…`"),
        ("postgresql://127.0.0.1:1/x", "Connect call failed"),
        ("nonsense", "Could not parse"),
        (f"sqlite:///{__file__}", "file is not a database"),
    ],
)
def test_a_database_that_cannot_be_used_is_code_8(url: str, reason: str, place: Place, temporal: str) -> None:
    env = {"CRONNY_DATABASE_URL": url}
    ran = run_cronny("up", *place.flags, "--no-demo", "--temporal-address", temporal, env=env)
    assert (ran.code, ran.out, ran.err.count("\n"), reason in ran.err) == (8, "", 1, True)


@pytest.mark.parametrize(
    ("flags", "name", "value"),
    [(["--port", "0"], "CRONNY_POOL", "default"), ([], "CRONNY_EGRESS_ALLOW", "everything")],
)
def test_a_wrong_setting_is_code_2(
    flags: list[str],
    name: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, value)
    code, output = run(["up", *flags]), capsys.readouterr()
    assert (code, output.out, output.err.count("\n")) == (2, "", 1)
