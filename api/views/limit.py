"""What the API shows of a tenant's limits."""

from collections.abc import Mapping
from datetime import timedelta

from pydantic import Field

from api.views.listing import Listing, View
from cronny.store.limits import Limit, limit_of
from cronny.store.tables import Tenant
from dsl.durations import format_duration


class LimitView(View):
    """One thing of which a tenant may have so much, and how much of it there is."""

    name: str = Field(description="Such as `running_triggers`.")
    limit: int | str | None = Field(
        description="The most there may be; of `minimum_interval` the least. None: no limit is set."
    )
    used: int | None = Field(description="How much there is now, of what can be counted.")


def view_limits(tenant: Tenant, usage: Mapping[Limit, int]) -> Listing[LimitView]:
    """Every limit, with its use beside it."""
    limits = [LimitView(name=limit, limit=_shown(tenant, limit), used=usage.get(limit)) for limit in Limit]
    retention = LimitView(name="retention", limit=f"{tenant.retention_days}d", used=None)
    return Listing(items=(*limits, retention))


def _shown(tenant: Tenant, limit: Limit) -> int | str | None:
    most = limit_of(tenant, limit)
    if most is None or limit is not Limit.MINIMUM_INTERVAL:
        return most
    return format_duration(timedelta(seconds=most))
