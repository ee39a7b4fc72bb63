"""What a program in a container cannot do, tried from inside."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from activities.stages.docker_fields import DockerWith
from tests.servers import http
from tests.servers.docker import Engine
from tests.stages.contexts import brief
from tests.stages.docker_stage import context_of, kind_at, said, sh, sh_failure

# A script prints something if what it tries succeeds.
FORBIDDEN = {
    "write into the image": "for at in / /bin /etc /run /sys /proc; do touch $at/x && echo $at; done",
    "mount a file system": "mount -t tmpfs none /tmp && echo open",
    "mount the host's devices": "mount -t devtmpfs none /tmp && echo open",
    "make the image writable": "mount -o remount,rw / && echo open",
    "unmount what hides the host": "for at in /proc/sys /proc/keys /sys; do umount $at && echo $at; done",
    "make a device": "mknod /tmp/disk b 8 0 && echo disk; mknod /tmp/mem c 1 1 && echo memory",
    "find a device of the host": "for at in mem kmsg sda vda; do test -e /dev/$at && echo $at; done",
    "change its root": "chroot /tmp true && echo open",
    "be in a namespace with more rights": "unshare -r true && echo user; unshare -n true && echo net",
    "find the Engine": "for at in /run /var/run; do test -e $at/docker.sock && echo $at; done",
    "change the kernel": "for at in sys/vm/swappiness sysrq-trigger; do echo b > /proc/$at && echo $at; done",
    "read the kernel's memory": "test -s /proc/kcore && echo memory; test -s /proc/keys && echo keys",
    "change its own limits": "for at in /sys/fs/cgroup/*/tasks; do echo 1 > $at && echo $at; done",
    "start a program from /tmp": "cp /bin/busybox /tmp/id; /tmp/id && echo open; rm /tmp/id",
    "change owners": "touch /tmp/x; chown 1 /tmp/x && echo open",
    "change its secrets": "cd /run/secrets; touch x && echo new; rm -f token && echo gone",
    "keep more than its output": "dd if=/dev/zero of=/cronny/x bs=1k count=300 && echo open; rm /cronny/x",
    "fill /tmp": "dd if=/dev/zero of=/tmp/x bs=1k count=2000 && echo open; rm /tmp/x",
    "fill the shared memory": "dd if=/dev/zero of=/dev/shm/x bs=1k count=2000 && echo open; rm /dev/shm/x",
    "leave a core dump": "ulimit -c unlimited && echo open",
}
UNREACHABLE = "wget -T 2 -q -O - http://{address}/ && echo open"


async def tried(engine: Engine, scripts: Mapping[str, str]) -> dict[str, str]:
    """What each script wrote; all of them are tried in one container."""
    each = '({text}) > /tmp/out 2>/dev/null; echo "{name}:" $(cat /tmp/out)'
    parts = [each.format(text=text, name=name) for name, text in scripts.items()]
    fields = {"secret_files": ["token"], "output_file": True, "tmp": "1m", "max_bytes": 9999}
    text = await said(engine, "; ".join(parts), {"secrets": {"token": "s3cret-0123"}}, **fields)
    return dict(line.split(":", 1) for line in text.splitlines())


async def test_a_container_can_do_nothing_of_what_is_forbidden(engine: Engine) -> None:
    assert await tried(engine, FORBIDDEN) == dict.fromkeys(FORBIDDEN, "")


async def test_what_is_not_forbidden_would_be_seen(engine: Engine) -> None:
    assert await tried(engine, {"write": "touch /tmp/x && echo open"}) == {"write": " open"}


@pytest.mark.parametrize("user", ["root", "app"])
async def test_a_program_has_no_capabilities_and_gets_no_more(engine: Engine, user: str) -> None:
    text = await said(engine, "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status", user=user)
    rights = dict(line.split(":\t") for line in text.splitlines())
    none = dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), "0" * 16)
    assert rights == {**none, "NoNewPrivs": "1", "Seccomp": "2"}


async def test_the_bit_that_makes_root_of_a_user_has_no_effect(engine: Engine) -> None:
    assert (
        await said(engine, "stat -c %a /bin/busybox; id -u; su root -c id || echo no", user="app")
        == "4755\n1000\nno"
    )


async def test_a_container_has_namespaces_of_its_own(engine: Engine) -> None:
    names = ("cgroup", "ipc", "mnt", "net", "pid", "uts")
    text = await said(engine, "; ".join(f"readlink /proc/self/ns/{name}" for name in names))
    assert not {os.readlink(f"/proc/self/ns/{name}") for name in names} & set(text.splitlines())


async def test_a_container_sees_only_its_own_processes(engine: Engine) -> None:
    assert await said(engine, "exec grep -l ^Name /proc/[0-9]*/status") == "/proc/1/status"


async def test_without_a_network_there_is_only_loopback(engine: Engine) -> None:
    assert await said(engine, "tail -n +3 /proc/net/dev | while read name rest; do echo $name; done") == "lo:"


@pytest.fixture
def beside() -> Iterator[http.Server]:
    """A server on the host."""
    with http.running() as server:
        yield server


async def test_a_container_reaches_nothing_on_the_host(engine: Engine, beside: http.Server) -> None:
    addresses = (beside.url.removeprefix("http://"), "169.254.169.254")
    tries = "; ".join(UNREACHABLE.format(address=address) for address in addresses)
    assert (await said(engine, f"({tries}) 2>/dev/null; echo tried"), beside.requests) == ("tried", [])


async def test_more_processes_than_allowed_cannot_be_started(engine: Engine) -> None:
    text = "i=0; while test $i -lt 40; do sleep 5 & i=$((i+1)); done; echo all"
    error = await sh_failure(engine, text, pids=10)
    assert error.code == "code.exit"


async def test_processors_are_limited(engine: Engine) -> None:
    await kind_at(engine).run(context_of(engine, "true", cpus=0.25, memory="32m", pids=9))
    limits = engine.inspected()["HostConfig"]
    names = ("NanoCpus", "Memory", "MemorySwap", "PidsLimit")
    assert [limits[name] for name in names] == [250_000_000, 2**25, 2**25, 9]


async def test_what_an_image_declares_as_a_volume_is_limited_too(engine: Engine) -> None:
    image = engine.add_image("volumes", "VOLUME /data", "VOLUME /run/secrets", "VOLUME /cronny")
    fill = "dd if=/dev/zero of=/data/x bs=1k count=2000 2>/dev/null || wc -c < /data/x"
    assert await said(engine, fill, image=image, tmp="1m", output_file=True) == "1048576"
    assert engine.left() == []


async def test_an_image_cannot_lead_the_output_elsewhere(engine: Engine) -> None:
    image = engine.add_image("linked", links=[("cronny", "etc")])
    output = await sh(engine, "echo mine > /cronny/output; ls /etc", image=image, output_file=True)
    assert output["output"] == "mine"


@pytest.mark.parametrize("made", ["ln -s /etc/passwd output", "mkdir output", "mknod output p"])
async def test_an_output_that_is_no_file_is_not_followed(engine: Engine, made: str) -> None:
    error = await sh_failure(engine, f"cd /cronny; {made}", output_file=True)
    assert brief(error) == ("validation", "/cronny/output is not a file", False)


async def test_an_image_s_own_check_of_its_health_is_not_executed(engine: Engine) -> None:
    image = engine.add_image("health", "HEALTHCHECK --interval=1s CMD echo healthy")
    await kind_at(engine).run(context_of(engine, "true", image=image))
    assert "Health" not in engine.inspected()["State"]


async def test_nothing_of_the_host_is_given_to_a_container(engine: Engine) -> None:
    await kind_at(engine).run(context_of(engine, "true"))
    host = engine.inspected()["HostConfig"]
    names = (
        "Privileged",
        "Binds",
        "CapAdd",
        "Devices",
        "DeviceRequests",
        "VolumesFrom",
        "PidMode",
        "UTSMode",
    )
    assert not any(host[name] for name in names)
    assert "Mounts" not in host


@pytest.mark.parametrize(
    "wish",
    [
        {"privileged": True},
        {"volumes": ["/:/host"]},
        {"mounts": []},
        {"binds": []},
        {"devices": ["/dev/sda"]},
        {"cap_add": ["SYS_ADMIN"]},
        {"security_opt": ["seccomp=unconfined"]},
        {"pid": "host"},
        {"host_config": {}},
        {"name": "mine"},
        {"labels": {}},
    ],
    ids=repr,
)
def test_nobody_can_ask_for_what_opens_a_container(wish: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        DockerWith.model_validate({"image": "box:1", **wish})


@pytest.mark.parametrize(
    "network", ["host", "container:other", "bridge", "default", "none ", "ns:/proc/1/ns/net", ""]
)
async def test_a_network_that_is_not_allowed_is_refused(engine: Engine, network: str) -> None:
    error = await sh_failure(engine, "true", network=network)
    assert (error.code, error.message.partition(";")[0]) == (
        "validation",
        f"the network '{network}' is not allowed here",
    )
