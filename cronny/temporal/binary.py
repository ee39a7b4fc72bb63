"""Where the `temporal` binary comes from: the PATH, else the SDK's download, else a build in Go."""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from cronny.child import signal_group, start
from cronny.errors import Unavailable

Say = Callable[[str], None]

DOWNLOAD_FIRST_SIGN = 8.0  # seconds until something must have arrived: there may be no way to the internet
DOWNLOAD_LIMIT = 600.0  # seconds for some 60 MB
PROGRESS_EVERY = 200  # packages of some 2000
BUILD = ("go", "build", "-trimpath", "-v", "-ldflags", "-s -w")
PACKAGE = "github.com/temporalio/cli/cmd/temporal"


def user_cache() -> Path:
    """The user's cache folder for Cronny, outside of any clone."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cronny"


def module() -> Path:
    """The Go module that pins Temporal: package data in a wheel, `tools/temporal` in a clone."""
    packaged = Path(__file__).parent / "module"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "tools" / "temporal"


def obtain(cache: Path, say: Say) -> Path:
    """A `temporal` binary; raises `Unavailable` when there is none and no way to make one."""
    if on_path := shutil.which("temporal"):
        return Path(on_path)
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / "temporal.lock", say):
        return _kept(cache) or _download(cache, say) or _build(cache, say)


def _built(cache: Path) -> Path:
    fingerprint = hashlib.sha256((module() / "go.mod").read_bytes()).hexdigest()[:12]
    return cache / f"temporal-{fingerprint}" / "temporal"


def _downloaded(cache: Path) -> Path:
    return cache / f"temporal-sdk-{version('temporalio')}" / "temporal"


def _kept(cache: Path) -> Path | None:
    return next((path for path in (_downloaded(cache), _built(cache)) if path.is_file()), None)


def _download(cache: Path, say: Say) -> Path | None:
    say("no `temporal` on the PATH; asking Temporal's SDK to download one")
    with TemporaryDirectory(prefix="download-", dir=cache) as folder:
        reason = _sdk_download(Path(folder))
        for file in Path(folder).iterdir():
            if not reason and os.access(file, os.X_OK):
                return _keep(file, _downloaded(cache))
    say(f"no download: {reason or 'the SDK left no binary'}")
    return None


def _sdk_download(folder: Path) -> str:
    """The reason why it failed, or the empty text."""
    with _process((sys.executable, "-m", "cronny.temporal.download", str(folder))) as process:
        try:
            with suppress(subprocess.TimeoutExpired):
                return _reason(process, process.communicate(timeout=DOWNLOAD_FIRST_SIGN)[1])
            if not any(folder.iterdir()):
                return f"nothing arrived within {DOWNLOAD_FIRST_SIGN:.0f} s"
            return _reason(process, process.communicate(timeout=DOWNLOAD_LIMIT)[1])
        except subprocess.TimeoutExpired:
            return f"it took more than {DOWNLOAD_LIMIT:.0f} s"


def _reason(process: subprocess.Popen[str], output: str) -> str:
    if process.returncode == 0:
        return ""
    lines = output.strip().splitlines()
    return lines[-1] if lines else f"the SDK ended with code {process.returncode}"


def _build(cache: Path, say: Say) -> Path:
    if shutil.which("go") is None:
        raise Unavailable(
            "no Temporal: none on the PATH, no download, and no Go to build it with; "
            "install `temporal` or Go 1.26, or set CRONNY_TEMPORAL_ADDRESS"
        )
    say("building Temporal with Go; this takes 3 to 4 minutes, once")
    with TemporaryDirectory(prefix="build-", dir=cache) as folder:
        binary = Path(folder) / "temporal"
        _go_build((*BUILD, "-o", str(binary), PACKAGE), say)
        return _keep(binary, _built(cache))


def _go_build(command: Sequence[str], say: Say) -> None:
    last = ""
    with _process(command, cwd=module(), env={**os.environ, "CGO_ENABLED": "0"}) as process:
        for count, line in enumerate(process.stderr or (), start=1):
            last = line.strip()
            if count % PROGRESS_EVERY == 0:
                say(f"building Temporal: {count} packages")
        if process.wait() != 0:
            raise Unavailable(f"Temporal cannot be built: {last or 'go failed'}")


def _keep(binary: Path, place: Path) -> Path:
    place.parent.mkdir(exist_ok=True)
    return binary.rename(place)


@contextmanager
def _process(
    command: Sequence[str], cwd: Path | None = None, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    process = start(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        signal_group(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _locked(path: Path, say: Say) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another process that is obtaining Temporal")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
