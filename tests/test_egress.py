import asyncio
import socket
import threading
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cronny.egress import METADATA, Address, EgressPolicy, Network, guarded_client
from cronny.errors import EgressDenied
from tests.servers import http
from tests.servers.ports import free_port

CLOSED = EgressPolicy()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.01",
        "0",
        "0.0.0.0",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:169.254.169.254]",
        "[::ffff:0:127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b:1::a00:1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[2001:db8::1]",
        "[3fff::1]",
        "[5f00::1]",
        "[100::1]",
        "[fe80::1]",
        "[fec0::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "[0:0:0:0:0:ffff:0a00:0001]",
    ],
)
async def test_a_url_that_leads_inside_is_denied(host: str) -> None:
    async with guarded_client(CLOSED) as client:
        with pytest.raises((EgressDenied, httpx.InvalidURL, socket.gaierror)):
            await client.get(f"http://{host}/")


@pytest.mark.parametrize("host", ["", "/tmp/socket", "fe80::1%eth0", "a\0b", "::1%lo"])
async def test_what_is_no_host_is_denied(host: str) -> None:
    with pytest.raises(EgressDenied):
        await CLOSED.resolve(host, 80)


@pytest.mark.parametrize("host", ["a..b", "x" * 64, ".", "nobody.invalid", "\udc00", "a b"])
async def test_a_name_without_an_address_is_an_error(host: str) -> None:
    with pytest.raises(socket.gaierror):
        await CLOSED.resolve(host, 80)


@pytest.mark.parametrize("address", ["93.184.215.14", "1.1.1.1", "8.8.8.8", "2606:4700:4700::1111"])
async def test_a_public_address_is_open(address: str) -> None:
    assert await CLOSED.resolve(address, 443) == [address]


PRIVATE = list(
    map(
        ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
            *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
            *("::/96", "64:ff9b::/32", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
            *("5f00::/16", "fc00::/7", "fe80::/9", "ff00::/8"),
        ),
    )
)


def within(network: Network) -> st.SearchStrategy[Address]:
    whole = st.integers(int(network.network_address), int(network.broadcast_address))
    return whole.map(IPv4Address if network.version == 4 else IPv6Address)


special = st.sampled_from(PRIVATE).flatmap(within)


@given(special, st.booleans())
def test_an_address_that_is_not_public_is_closed(address: Address, is_mapped: bool) -> None:
    mapped = IPv6Address(f"::ffff:{address}") if is_mapped and address.version == 4 else address
    assert not CLOSED.allows(mapped)


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6), special))
def test_only_what_python_also_takes_for_public_is_open(address: Address) -> None:
    assert not CLOSED.allows(address) or (address.is_global and not address.is_multicast)


@given(special, st.integers(0, 8), special)
def test_a_rule_opens_its_network_and_no_other(inside: Address, bits: int, other: Address) -> None:
    network = ip_network(f"{inside}/{inside.max_prefixlen - bits}", strict=False)
    policy = EgressPolicy(allow=(network,))
    assume(not {inside, other} & METADATA)
    assert policy.allows(inside)
    assert policy.allows(other) == (other in network)


@pytest.mark.parametrize("address", sorted(METADATA, key=str), ids=str)
def test_a_rule_for_a_network_does_not_open_what_gives_a_machines_credentials(address: Address) -> None:
    around = ip_network(f"{address}/{address.max_prefixlen - 1}", strict=False)
    assert not EgressPolicy(allow=(around,)).allows(address)
    assert EgressPolicy(allow=(around, ip_network(address))).allows(address)


@given(st.one_of(st.ip_addresses(v=4), special), special)
def test_what_is_denied_is_closed_whatever_else_is_said(address: Address, other: Address) -> None:
    everything = (ip_network("0.0.0.0/0"), ip_network("::/0"))
    policy = EgressPolicy(allow=everything, deny=(ip_network(address),))
    assert not policy.allows(address)
    assert policy.allows(other) == (other != address and other not in METADATA)


@given(st.ip_addresses(v=4))
def test_a_denied_address_is_closed_however_it_is_mapped(address: IPv4Address) -> None:
    mapped = ip_network(f"::ffff:{address}")
    for denied in (ip_network(address), mapped, ip_network("::ffff:0:0/96")):
        policy = EgressPolicy(allow=(ip_network("0.0.0.0/0"),), deny=(denied,))
        assert not policy.allows(address) or denied.version == 6
        assert not policy.allows(IPv6Address(f"::ffff:{address}"))


@pytest.mark.parametrize(
    ("host", "is_named"),
    [
        ("api.example.com", True),
        ("API.Example.COM.", True),
        ("example.com", False),
        ("a.example.com", False),
        ("a.example.org", True),
        ("a.b.example.org", True),
        ("example.org", False),
        ("badexample.org", False),
        ("a.example.org.evil.com", False),
        ("1.1.1.1", True),
        ("0x1.1.1.1", False),
        ("\uff41pi.example.com", True),
        ("api.example.com\u200b.evil.com", False),
        ("x" * 70, False),
    ],
)
async def test_where_hosts_are_named_no_other_is_asked_for(host: str, is_named: bool) -> None:
    policy = EgressPolicy(hosts=("api.example.com", "*.example.org", "1.1.1.1"))
    assert policy.names(host) is is_named
    if not is_named:
        with pytest.raises(EgressDenied, match="not among the hosts"):
            await policy.resolve(host, 443)


async def test_a_host_that_is_named_has_to_be_public_all_the_same() -> None:
    with pytest.raises(EgressDenied, match="closed"):
        await EgressPolicy(hosts=("localhost",)).resolve("localhost", 80)


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_what_it_maps(address: IPv4Address) -> None:
    policy = EgressPolicy(allow=(ip_network("127.0.0.0/8"),))
    assert policy.allows(IPv6Address(f"::ffff:{address}")) == policy.allows(address)


class Resolver:
    """Answers in the place of the system's, one list after the other."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    def getaddrinfo(self, _: str, port: int, **__: object) -> list[tuple[object, ...]]:
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]


def use(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolver.getaddrinfo)


async def test_slow_names_do_not_hold_up_others(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        if host == "slow.example":
            answered.wait(10)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    slow = [asyncio.create_task(CLOSED.resolve("slow.example", 80)) for _ in range(40)]
    await asyncio.sleep(0)
    assert await CLOSED.resolve("quick.example", 80) == ["93.184.215.14"]
    assert not any(lookup.done() for lookup in slow)
    answered.set()
    await asyncio.gather(*slow)


async def test_one_closed_address_among_open_ones_is_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    use(Resolver(["93.184.215.14", "10.0.0.1"]), monkeypatch)
    with pytest.raises(EgressDenied, match=r"^rebind\.example has an address that is closed"):
        await CLOSED.resolve("rebind.example", 80)


async def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = EgressPolicy(allow=(ip_network("127.0.0.1"),))
    with http.running() as server:
        # Were the name looked up once more, it would lead to a port where nobody listens.
        use(Resolver(["127.0.0.1"], ["127.0.0.2"]), monkeypatch)
        async with guarded_client(policy) as client:
            response = await client.get(f"http://rebind.example:{server.port}/")
    assert response.status_code == 404
    assert server.requests[0].headers["host"] == f"rebind.example:{server.port}"


async def test_a_name_is_checked_again_for_each_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = EgressPolicy(allow=(ip_network("127.0.0.1"),))
    with http.running() as server:
        use(Resolver(["127.0.0.1"], ["127.0.0.2"]), monkeypatch)
        url = f"http://rebind.example:{server.port}/"
        async with guarded_client(policy) as client:
            await client.get(url, headers={"connection": "close"})
            with pytest.raises(EgressDenied):
                await client.get(url)
    assert len(server.requests) == 1


async def test_the_next_address_is_tried_when_one_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = EgressPolicy(allow=(ip_network("127.0.0.0/8"),))
    with http.running() as server:
        use(Resolver(["127.0.0.2", "127.0.0.1"]), monkeypatch)
        async with guarded_client(policy) as client:
            response = await client.get(f"http://two.example:{server.port}/")
    assert response.status_code == 404


async def test_the_last_failure_is_told_when_no_address_answers() -> None:
    policy = EgressPolicy(allow=(ip_network("127.0.0.0/8"),))
    async with guarded_client(policy) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{free_port()}/")


async def test_a_redirect_is_not_followed_by_itself() -> None:
    policy = EgressPolicy(allow=(ip_network("127.0.0.0/8"),))
    with http.running() as server:
        server.answer("/", http.redirect("/elsewhere"))
        async with guarded_client(policy) as client:
            assert (await client.get(server.url)).status_code == 302
    assert len(server.requests) == 1


async def test_the_client_has_no_credentials_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password s3cret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(netrc.parent))
    policy = EgressPolicy(allow=(ip_network("127.0.0.0/8"),))
    with http.running() as server:
        async with guarded_client(policy) as client:
            await client.get(server.url)
    assert "authorization" not in server.requests[0].headers


def test_addresses_are_compared_by_version() -> None:
    assert not EgressPolicy(allow=(ip_network("::/0"),)).allows(ip_address("10.0.0.1"))
