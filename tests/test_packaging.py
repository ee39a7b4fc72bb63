"""The wheel holds what Cronny needs to run, and the command works where only the wheel is installed."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
INSIDE = (
    "activities/stages/sandbox/prelude.js",
    "api/__main__.py",
    "worker.py",
    "cronny/py.typed",
    "dsl/py.typed",
    "cronny/demo/greet.yaml",
    "cronny/store/migrations/env.py",
    "cronny/store/migrations/script.py.mako",
    "cronny/store/migrations/versions/0001_first_schema.py",
    "cronny/temporal/module/go.mod",
    "cronny/temporal/module/go.sum",
    "cronny/temporal/module/tools.go",
)


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, folder=ROOT)
    return next(folder.glob("cronny-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the wheel; its dependencies are borrowed from this one."""
    home = tmp_path_factory.mktemp("home")
    venv.create(home / "env", with_pip=True)
    programs = home / "env" / "bin"
    run(programs / "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, folder=home)
    # A path that a .pth file adds is searched, but its own .pth files are not: the clone stays out of sight.
    site = next((home / "env").glob("lib/python*/site-packages"))
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs


@pytest.mark.parametrize("name", INSIDE)
def test_the_wheel_holds(wheel: Path, name: str) -> None:
    assert name in ZipFile(wheel).namelist()


def test_the_wheel_holds_nothing_but_the_product(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in ZipFile(wheel).namelist()}
    product = {"activities", "api", "cronny", "dsl", "worker.py", "workflows"}
    assert {top for top in tops if not top.endswith(".dist-info")} == product


def test_the_command_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    assert "Usage: cronny" in run(installed / "cronny", "--help", folder=tmp_path)


def test_the_wheel_brings_a_database_to_its_schema(installed: Path, tmp_path: Path) -> None:
    program = "from cronny.store.migrate import upgrade; upgrade('sqlite+aiosqlite:///new.db')"
    run(installed / "python", "-c", program, folder=tmp_path)
    assert (tmp_path / "new.db").stat().st_size > 0


def test_the_wheel_finds_its_module_of_temporal(installed: Path, tmp_path: Path) -> None:
    program = "from cronny.temporal.binary import module; print(module())"
    assert str(installed.parent) in run(installed / "python", "-c", program, folder=tmp_path)


def test_the_editable_install_puts_the_command_on_the_path(tmp_path: Path) -> None:
    assert run(Path(sys.prefix) / "bin" / "cronny", "--version", folder=tmp_path).startswith("cronny 0.")
