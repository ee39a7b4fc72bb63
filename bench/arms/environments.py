"""The environments that peers live in: made on demand under the user's cache folder, apart from Cronny's."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from bench.arm import NotAvailable
from cronny.temporal.binary import user_cache

LIMIT = 600  # seconds that an installation may take


def python(name: str, requirements: Sequence[str]) -> Path:
    """The Python of an environment with these packages; raises NotAvailable."""
    folder = _folder(name, requirements)
    interpreter = folder / "bin" / "python"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        _do(name, [sys.executable, "-m", "venv", str(folder)])
        _do(name, [str(interpreter), "-m", "pip", "install", "--quiet", *requirements])
        (folder / "complete").touch()
    return interpreter


def node_binary(name: str, package: str, path: str) -> Path:
    """A program inside a package of the npm registry; raises NotAvailable."""
    folder = _folder(name, [package])
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        flags = ["--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]
        _do(name, ["npm", "install", *flags, package])
        (folder / "complete").touch()
    found = sorted((folder / "node_modules").glob(path))
    if not found:
        raise NotAvailable(f"{package} has no program for this machine")
    return found[0]


def _folder(name: str, packages: Sequence[str]) -> Path:
    return user_cache() / "bench" / f"{name}-{sha256(' '.join(packages).encode()).hexdigest()[:8]}"


def _do(name: str, command: list[str]) -> None:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LIMIT)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotAvailable(f"{name} cannot be installed: {error}") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise NotAvailable(f"{name} cannot be installed: {said}")
