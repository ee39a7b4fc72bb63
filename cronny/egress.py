"""The egress guard: every outgoing connection of a stage goes to an address that was checked.

policy = EgressPolicy(allow=(ip_network("10.1.0.0/16"),))
await policy.resolve("example.com", 443)      # ["93.184.215.14"], or EgressDenied
async with guarded_client(policy) as client:  # checks again for every connection it opens
    await client.get("https://example.com")
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpcore
import httpx

from cronny.errors import EgressDenied

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

CONNECT_TIMEOUT = (
    10.0  # seconds for one address; a host may have several, the stage's timeout covers them all.
)

# Python's own pool has as few as five threads: one tenant's slow names would hold up the names of all.
_LOOKUPS = ThreadPoolExecutor(64, thread_name_prefix="name")

# What `is_global` leaves open, or did in one of the Python versions Cronny runs on. The IPv6 ones embed an
# IPv4 address (NAT64, Teredo, 6to4), so they would be a way around every other rule.
_CLOSED: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "168.63.129.16/32",  # Azure's metadata and DNS address lies in public space.
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)


# Where clouds give their machines' credentials to whoever asks: a rule for a network does not open these.
METADATA: frozenset[Address] = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
    )
)


@dataclass(frozen=True)
class EgressPolicy:
    """Public addresses are open, any other only within the networks of `allow`; what `deny` has is closed.

    With `hosts`, patterns like `api.example.com` and `*.example.com`, other names are closed, too.
    """

    allow: tuple[Network, ...] = ()
    deny: tuple[Network, ...] = ()
    hosts: tuple[str, ...] | None = None

    def allows(self, address: Address) -> bool:
        """Whether a connection to this address may be made."""
        plain = _plain(address)
        if _is_in(plain, self.deny) or _is_in(address, self.deny):
            return False
        if plain in METADATA:
            return any(plain in network and network.num_addresses == 1 for network in self.allow)
        return _is_in(plain, self.allow) or _is_public(plain)

    def names(self, host: str) -> bool:
        """Whether a host of this name may be connected to at all."""
        return self.hosts is None or any(_is_like(_name(host), pattern) for pattern in self.hosts)

    async def resolve(self, host: str, port: int) -> list[str]:
        """The addresses of the host; raises `EgressDenied` if any is closed, `socket.gaierror` if none is."""
        if not host or any(mark in host for mark in "/%\0"):  # Unix sockets; addresses with a scope.
            raise EgressDenied(f"{host!r} is not the name of a host")
        if not self.names(host):
            raise EgressDenied(f"{host} is not among the hosts that this tenant may connect to")
        addresses = await _addresses(host, port)
        if not all(self.allows(ip_address(address)) for address in addresses):
            raise EgressDenied(f"{host} has an address that is closed for outgoing connections")
        return addresses


def guarded_client(
    policy: EgressPolicy, *, verify: ssl.SSLContext | None = None, timeout: float | None = None
) -> httpx.AsyncClient:
    """An HTTP client for one exchange, which finds no proxy, credential or certificate by itself.

    Connections are not shared between exchanges: one that the server closed while it was idle would fail a
    POST that cannot be repeated safely.
    """
    return httpx.AsyncClient(
        transport=_GuardedTransport(policy, verify or public_authorities()),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(timeout, connect=CONNECT_TIMEOUT),
    )


@cache  # Reading the certificates takes 20 ms, too long for each exchange.
def public_authorities() -> ssl.SSLContext:
    """TLS that trusts the public certificate authorities."""
    return httpx.create_ssl_context(trust_env=False)


async def _addresses(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        lookup = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await loop.run_in_executor(_LOOKUPS, lookup)
    except UnicodeError as error:  # A label that is empty or longer than 63 characters.
        raise socket.gaierror(socket.EAI_NONAME, "not the name of a host") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _name(host: str) -> str:
    """A name as patterns have it: what looks the same to a resolver is the same."""
    try:
        host = host.encode("idna").decode()
    except UnicodeError:  # Nobody has such a name.
        return ""
    return host.lower().rstrip(".")


def _is_like(name: str, pattern: str) -> bool:
    return name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern


def _plain(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_public(address: Address) -> bool:
    special = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not special and not _is_in(address, _CLOSED)


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)  # False for a network of the other version.


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections to checked addresses; TLS above it still verifies the name."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 the interface of httpcore
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failures: list[Exception] = []
        for address in await self._policy.resolve(host, port):
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failure:
                failures.append(failure)
        raise failures[-1]

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 the interface of httpcore
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise EgressDenied(f"{path!r} is not the name of a host")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


class _GuardedTransport(httpx.AsyncHTTPTransport):
    # httpx has no argument for a network backend. The parent's constructor is left out on purpose: should a
    # later httpx keep its pool under another name, requests fail instead of going out unguarded.
    def __init__(self, policy: EgressPolicy, verify: ssl.SSLContext) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify, http1=True, http2=False, network_backend=_GuardedBackend(policy)
        )
