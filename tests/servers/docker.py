"""A private Docker Engine in a temporary folder, with a tiny image: there is no registry to fetch one from.

with running() as engine:
    engine.host                                      # unix:///…/docker.sock
    engine.image                                     # its programs are those of busybox
"""

import io
import os
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx

from cronny.child import signal_group, start

IMAGE = "box:1"
CLEAR_LIMIT = 30.0  # seconds in which all containers are gone
PROGRAMS = (
    "sh cat chmod chown chroot cp dd df echo env false grep head id kill ln ls mkdir mknod mount mv pwd "
    "readlink rm seq sleep stat su tail tee test touch true umount unshare wc wget yes"
)


@dataclass(frozen=True)
class Engine:
    """The Engine, and what tests ask of it besides what stages do."""

    host: str
    process: "subprocess.Popen[str]"
    image: str = IMAGE

    @property
    def client(self) -> httpx.Client:
        transport = httpx.HTTPTransport(uds=self.host.removeprefix("unix://"))
        return httpx.Client(transport=transport, base_url="http://docker", trust_env=False, timeout=60)

    def ask(self, method: str, path: str, **options: Any) -> Any:
        with self.client as client:
            response = client.request(method, path, **options)
        assert response.is_success, f"{method} {path}: {response.text}"
        return response.json() if response.content.strip() else None

    def containers(self) -> list[dict[str, Any]]:
        """Every container, running or not."""
        found: list[dict[str, Any]] = self.ask("GET", "/containers/json", params={"all": "1"})
        return found

    def running(self) -> list[dict[str, Any]]:
        """The containers that run."""
        return [each for each in self.containers() if each["State"] == "running"]

    def execute(self, container: str, *command: str) -> None:
        """Execute one more program in a container."""
        made = self.ask("POST", f"/containers/{container}/exec", json={"Cmd": command})
        self.ask("POST", f"/exec/{made['Id']}/start", json={"Detach": True})

    def inspected(self) -> dict[str, Any]:
        """The one container of a stage there is; those that keep files are left out."""
        (found,) = [each for each in self.containers() if not each["Names"][0].endswith("-files")]
        details: dict[str, Any] = self.ask("GET", f"/containers/{found['Id']}/json")
        return details

    def volumes(self) -> list[dict[str, Any]]:
        return self.ask("GET", "/volumes")["Volumes"] or []

    def left(self) -> list[str]:
        """The names of all containers and volumes."""
        names = [name for each in self.containers() for name in each["Names"]]
        return sorted([*names, *(each["Name"] for each in self.volumes())])

    def add_image(self, tag: str, *changes: str, links: Sequence[tuple[str, str]] = ()) -> str:
        """The name of an image with the programs, with links, and with what lines of a Dockerfile add."""
        query = {"fromSrc": "-", "repo": "box", "tag": tag, "changes": ["ENV PATH=/bin", *changes]}
        self.ask("POST", "/images/create", params=query, content=programs(*links))
        return f"box:{tag}"

    def clear(self) -> None:
        """Remove every container and volume; a stage that is ending may be removing them, too."""
        deadline = time.monotonic() + CLEAR_LIMIT
        while left := self.containers():
            assert time.monotonic() < deadline, f"containers that stay: {left}"
            for each in left:
                self._remove(f"/containers/{each['Id']}", force="1", v="1")
        for each in self.volumes():
            self._remove(f"/volumes/{each['Name']}")

    def _remove(self, path: str, **query: str) -> None:
        with self.client as client:
            response = client.delete(path, params=query)
        # 404: it is gone already; 409: somebody else is removing it.
        assert response.is_success or response.status_code in (404, 409), f"{path}: {response.text}"


@contextmanager
def running(driver: str | None = None) -> Iterator[Engine]:
    """An Engine that is gone afterwards, with all that it kept."""
    program = shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")
    assert program, "no Docker Engine: `make servers` installs it"
    assert os.getuid() == 0, "the tests of `docker` start an Engine, which only root can"
    folder = Path(mkdtemp(prefix="cronny-docker-"))
    (folder / "daemon.json").write_text("{}")  # the machine's own is not for this one
    engine = _started(program, folder, driver)
    try:
        engine.add_image("1")
        yield engine
    finally:
        with suppress(AssertionError, httpx.TransportError):
            engine.clear()
        _end(engine, folder)


def _started(program: str, folder: Path, driver: str | None) -> Engine:
    """An Engine that answers; where the file system cannot be stacked, one that copies."""
    for storage in [driver] if driver else ["overlay2", "vfs"]:
        engine = Engine(f"unix://{folder}/docker.sock", _launch(program, folder, storage))
        if _answers(engine):
            return engine
        engine.process.wait()
    raise AssertionError(f"the Docker Engine does not start:\n{(folder / 'log').read_text()[-4000:]}")


def _launch(program: str, folder: Path, storage: str) -> "subprocess.Popen[str]":
    options = {
        "config-file": folder / "daemon.json",
        "data-root": folder / "data",
        "exec-root": folder / "exec",
        "pidfile": folder / "pid",
        "host": f"unix://{folder}/docker.sock",
        "storage-driver": storage,
        "bridge": "none",
        "iptables": "false",
        "ip6tables": "false",
    }
    with (folder / "log").open("a") as log:
        command = [program, *(f"--{name}={value}" for name, value in options.items())]
        # Of the environment nothing: neither a proxy nor a registry's credentials are for this one.
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(folder)}
        return start(command, stdout=log, stderr=log, cwd=folder, env=environment)


def _answers(engine: Engine) -> bool:
    for _ in range(600):
        with suppress(httpx.TransportError), engine.client as client:
            if client.get("/_ping").is_success:
                return True
        if engine.process.poll() is not None:
            return False
        time.sleep(0.05)
    return False


def _end(engine: Engine, folder: Path) -> None:
    engine.process.terminate()
    try:
        engine.process.wait(30)
    except subprocess.TimeoutExpired:
        signal_group(engine.process.pid, signal.SIGKILL)
        engine.process.wait()
    _kill_shims(folder)
    for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
        place = line.split(" ")[1]
        if place.startswith(str(folder)):
            subprocess.run(["umount", "--lazy", place], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def _kill_shims(folder: Path) -> None:
    """End what an Engine that was killed has left: its containerd, and the programs beside it."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(folder).encode() in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)


def programs(*links: tuple[str, str]) -> bytes:
    """The content of an image with the programs of busybox."""
    busybox = shutil.which("busybox")
    assert busybox, "no busybox: `make servers` installs it"
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as members:
        members.add(busybox, "bin/busybox", filter=_executable)
        for name, target in (*((f"bin/{name}", "busybox") for name in PROGRAMS.split()), *links):
            members.addfile(_link(name, target))
        for name, text in _accounts():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            members.addfile(member, io.BytesIO(text))
    return archive.getvalue()


def _executable(member: tarfile.TarInfo) -> tarfile.TarInfo:
    # With the set-user-id bit: whoever may gain rights by it would be root.
    member.mode, member.uid, member.gid = 0o4755, 0, 0
    return member


def _link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


def _accounts() -> Sequence[tuple[str, bytes]]:
    return (
        ("etc/passwd", b"root::0:0:root:/:/bin/sh\napp::1000:1000:app:/:/bin/sh\n"),
        ("etc/group", b"root::0:\napp::1000:\n"),
    )
