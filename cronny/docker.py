"""What an installation says about containers: its Engine, and what its tenants may do there."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

from cronny.images import Image, covers, may_be_of, registry_of
from cronny.sizes import Size

# These would give a container the network of its host, or that of a container beside it.
CLOSED_NETWORKS = frozenset({"host", "container", "default"})
OURS = "docker.io/library/cronny-hold"  # a container of it has the secrets of others


class DockerRules(BaseModel):
    """What a tenant's containers may be; nothing is open that is not listed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    images: tuple[str, ...] = ()  #: Patterns that allow; those that begin with `!` forbid, and win.
    digests: bool = False  #: Only images that are named with their digest.
    pull: bool = True  #: Whether the Engine may fetch images.
    networks: tuple[str, ...] = ()  #: Besides `none`.
    memory: Size = 2**30  #: The most that a container may be given.
    cpus: float = Field(2.0, gt=0)  #: The most that a container may be given.

    @property
    def allowed(self) -> tuple[str, ...]:
        """The patterns that allow."""
        return tuple(one for one in self.images if one[:1] != "!")

    def concern(self, registry: str) -> bool:
        """Whether an image of this registry may be allowed."""
        return any(may_be_of(one, registry) for one in self.allowed)

    def name_registry(self, registry: str) -> bool:
        """Whether the operator has written this registry's very name."""
        return any(registry_of(one) == registry for one in self.allowed)

    def objection(self, image: Image) -> str | None:
        """Why the image may not be used, or None."""
        if image.repository == OURS:
            return f"the image {image} is kept for Cronny itself"
        if self.digests and not image.digest:
            return f"the image {image} needs a digest here; write it like {image.repository}@sha256:…"
        forbidden = next((one for one in self.images if one[:1] == "!" and covers(one[1:], image)), None)
        if forbidden is not None:
            return f"the image {image} is forbidden here, by '{forbidden}'"
        if not any(covers(one, image) for one in self.allowed):
            allowed = ", ".join(self.allowed) or "none"
            return f"the image {image} is not allowed here; those that are: {allowed}"
        return None

    def allows_network(self, name: str) -> bool:
        """Whether a container may be in this network."""
        is_closed = name.partition(":")[0] in CLOSED_NETWORKS
        return name == "none" or (name in self.networks and not is_closed)


@dataclass(frozen=True)
class Docker:
    """The Engine, if there is one, and the rules."""

    host: str | None = None  #: `unix:///path` or `tcp://host:port`.
    rules: DockerRules = field(default_factory=DockerRules)
    of_tenants: Mapping[str, DockerRules] = field(default_factory=dict)  #: What is said there comes first.

    def rules_of(self, tenant: str) -> DockerRules:
        """The rules for the tenant with this slug."""
        own = self.of_tenants.get(tenant)
        if own is None:
            return self.rules
        return self.rules.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})
