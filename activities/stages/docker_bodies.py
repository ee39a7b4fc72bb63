"""What the Engine is sent: a container that can do as little as possible, and its volumes."""

from collections.abc import Iterable
from typing import Any

from activities.stages import docker_holder
from activities.stages.docker_fields import SECRETS
from activities.stages.docker_plan import Plan

FOLDER = "/cronny"
SAFE = "nosuid,nodev,noexec"
PAGE = 4096  # bytes; memory is given in these
HOLDER = "-files"  # the container that keeps the volumes
OUTPUTS, KEPT, FED = "-output", "-secrets", "-fed"  # volumes


def container(plan: Plan, image_id: str, declared: Iterable[str]) -> dict[str, Any]:
    """The body that creates the container; `declared` are the volumes that the image asks for."""
    fields = plan.fields
    has_stdin = plan.stdin is not None
    return {
        "Image": image_id,
        "Cmd": fields.command,
        "Entrypoint": fields.entrypoint,
        "Env": [f"{name}={value}" for name, value in plan.env.items()],
        "WorkingDir": fields.working_dir or "",
        "User": fields.user or "",
        "Labels": dict(plan.labels),
        "OpenStdin": has_stdin,
        "StdinOnce": has_stdin,
        "Healthcheck": {"Test": ["NONE"]},
        "NetworkDisabled": fields.network == "none",
        "HostConfig": _confined(plan, declared),
    }


def holder(plan: Plan) -> dict[str, Any]:
    """The body that creates the container that keeps the volumes of another."""
    return {
        "Image": docker_holder.HOLDER,
        "Entrypoint": [f"/{docker_holder.PROGRAM}"],
        "User": "65534:65534",
        "Labels": dict(plan.labels),
        "NetworkDisabled": True,
        "HostConfig": {
            "NetworkMode": "none",
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            # What runc needs to start it; the program itself takes next to nothing.
            "PidsLimit": 16,
            "Memory": 64 * 2**20,
            "LogConfig": {"Type": "none"},
            "Mounts": _mounts(plan, is_open=True),
        },
    }


def volumes(plan: Plan) -> list[dict[str, Any]]:
    """The bodies that create the volumes, each of bounded size and in memory."""
    found = []
    if plan.secrets:
        size = sum(-len(content) // PAGE * -PAGE for content in plan.secrets.values()) + 4 * PAGE
        found.append(_in_memory(plan, KEPT, f"size={size},mode=0555,nr_inodes={len(plan.secrets) + 4}"))
    if plan.fields.output_file:
        # A file is replaced safely by a second one that takes its name.
        size = 2 * (plan.fields.max_bytes + 16 * PAGE)
        found.append(_in_memory(plan, OUTPUTS, f"size={size},mode=1777,nr_inodes=100"))
    return found


def _in_memory(plan: Plan, ending: str, options: str) -> dict[str, Any]:
    return {
        "Name": f"{plan.name}{ending}",
        "Labels": dict(plan.labels),
        "DriverOpts": {"type": "tmpfs", "device": "tmpfs", "o": f"{SAFE},{options}"},
    }


def _confined(plan: Plan, declared: Iterable[str]) -> dict[str, Any]:
    """What keeps the container from its host, from others, and from taking more than it may."""
    fields = plan.fields
    return {
        "NetworkMode": fields.network,
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "IpcMode": "private",
        "CgroupnsMode": "private",
        "Memory": plan.memory,
        "MemorySwap": plan.memory,  # the sum of both: no swap
        "NanoCpus": round(fields.cpus * 10**9),
        "PidsLimit": fields.pids,
        "OomScoreAdj": 500,  # should the host run out of memory, its services outlive the containers
        "Ulimits": [
            {"Name": "core", "Soft": 0, "Hard": 0},
            {"Name": "nofile", "Soft": 1024, "Hard": 4096},
        ],
        "ShmSize": plan.tmp,
        "LogConfig": {"Type": "local", "Config": {"max-size": _log_size(fields.max_bytes), "max-file": "2"}},
        "RestartPolicy": {"Name": "no"},
        "Tmpfs": _temporary(plan, declared),
        "Mounts": _mounts(plan, is_open=False),
    }


def _mounts(plan: Plan, *, is_open: bool) -> list[dict[str, Any]]:
    """The volumes; those that `is_open` is not said of, a program may write only its output to."""
    mounts = []
    if plan.secrets:
        mounts.append(_mount(f"{plan.name}{KEPT}", SECRETS, not is_open))
    if plan.fields.output_file:
        mounts.append(_mount(f"{plan.name}{OUTPUTS}", FOLDER, False))
    return mounts


def _mount(name: str, target: str, is_read_only: bool) -> dict[str, Any]:
    return {
        "Type": "volume",
        "Source": name,
        "Target": target,
        "ReadOnly": is_read_only,
        "VolumeOptions": {"NoCopy": True},
    }


def _temporary(plan: Plan, declared: Iterable[str]) -> dict[str, str]:
    """`/tmp`, and in memory too what the image declares: a volume of its kind has no limit."""
    places = {"/tmp", *(place.rstrip("/") or "/" for place in declared)}  # noqa: S108
    taken = {mount["Target"] for mount in _mounts(plan, is_open=False)}
    return dict.fromkeys(sorted(places - taken), f"rw,{SAFE},mode=1777,size={plan.tmp}")


def _log_size(max_bytes: int) -> str:
    """Of one of two files: room for all that is read of it, and as much for what a line needs besides."""
    return f"{max(1, 2 * max_bytes // 2**20 + 1)}m"
