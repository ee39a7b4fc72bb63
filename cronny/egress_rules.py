"""What the operator of an installation lets its tenants connect to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from cronny.egress import EgressPolicy

_HOST = re.compile(r"^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$|^[0-9a-f:.]+$")


def _host(text: str) -> str:
    name = text.strip().lower().rstrip(".")
    if not _HOST.match(name):
        raise ValueError(f"{text!r} is neither the name of a host nor `*.` and the end of one")
    return name


Host = Annotated[str, AfterValidator(_host)]
Networks = tuple[IPv4Network | IPv6Network, ...]


class EgressRules(BaseModel):
    """What a tenant's stages may connect to, besides what is public, or instead of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    allow: Networks = ()  #: Open although they are not public.
    deny: Networks = ()  #: Closed, whatever else is said.
    hosts: tuple[Host, ...] | None = None  #: If given, no others.

    @property
    def policy(self) -> EgressPolicy:
        """The guard that enforces them."""
        return EgressPolicy(self.allow, self.deny, self.hosts)


@dataclass(frozen=True)
class Egress:
    """The rules of an installation, and those of single tenants."""

    rules: EgressRules = field(default_factory=EgressRules)
    of_tenants: Mapping[str, EgressRules] = field(default_factory=dict)  #: What is said there comes first.

    def of(self, tenant: str) -> EgressPolicy:
        """The guard of the tenant with this slug."""
        own = self.of_tenants.get(tenant)
        if own is None:
            return self.rules.policy
        changed = {name: getattr(own, name) for name in own.model_fields_set}
        return self.rules.model_copy(update=changed).policy
