"""Limits: what the tenant may have, and what it has."""

from fastapi import APIRouter

from api.caller import COMMON, KnownCaller
from api.problem import refusals
from api.views.limit import LimitView, view_limits
from api.views.listing import Listing

router = APIRouter(prefix="/v1/limits", tags=["limits"], responses=refusals(*COMMON))


@router.get("")
async def get_all(caller: KnownCaller) -> Listing[LimitView]:
    """What the tenant may have at the most, and what it has of it; the operator sets it."""
    async with caller.read() as store:
        usage = await store.limits.usage()
    return view_limits(caller.tenant, usage)
