"""Who asks, and what is theirs."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request

from api.parts import Parts, parts_of
from cronny.errors import Unauthorised
from cronny.secrets import hash_key
from cronny.store.tables import Tenant
from cronny.store.tenant_store import TenantStore, reading, writing
from cronny.store.tenants import Tenants

COMMON = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.SERVICE_UNAVAILABLE,
)  # what a request may always be refused with

_bearer = HTTPBearer(auto_error=False, scheme_name="bearer", description="An API key, `cny_…`.")
_header = APIKeyHeader(name="X-API-Key", auto_error=False, scheme_name="header", description="The same key.")


@dataclass(frozen=True)
class Caller:
    """The tenant whose key came with the request, and the key's name."""

    tenant: Tenant
    actor: str
    parts: Parts

    def read(self) -> AbstractAsyncContextManager[TenantStore]:
        """What is theirs, for reading."""
        return reading(self.parts.database, self.tenant, self.parts.clock)

    def write(self) -> AbstractAsyncContextManager[TenantStore]:
        """What is theirs, in the request's one transaction; it is committed before the answer goes out."""
        return writing(self.parts.database, self.tenant, self.parts.clock, self.actor)


async def identify(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    header: Annotated[str | None, Depends(_header)],
) -> Caller:
    """Who the key belongs to; raises Unauthorised."""
    key = bearer.credentials if bearer else header
    if not key:
        raise Unauthorised("send an API key as `Authorization: Bearer cny_…` or `X-API-Key: cny_…`")
    parts = parts_of(request)
    async with parts.database.read() as session:
        holder = await Tenants(session).by_key(hash_key(key))
    return Caller(holder.tenant, holder.name, parts)


KnownCaller = Annotated[Caller, Depends(identify)]
