"""Who asks, and what is theirs."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request

from activities.uses import UseLog
from api.parts import Parts, parts_of
from api.permissions import require_scope, scopes_of
from cronny.errors import Unauthorised
from cronny.secrets import hash_key
from cronny.store.tables import Tenant
from cronny.store.tenant_store import TenantStore, reading, rehearsing, writing
from cronny.store.tenants import Tenants
from cronny.store.uses import Use

COMMON = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.SERVICE_UNAVAILABLE,
)  # what a request may always be refused with

_bearer = HTTPBearer(auto_error=False, scheme_name="bearer", description="An API key, `cny_…`.")
_header = APIKeyHeader(name="X-API-Key", auto_error=False, scheme_name="header", description="The same key.")


@dataclass(frozen=True)
class Caller:
    """The tenant whose key came with the request, the key's name and what it may."""

    tenant: Tenant
    actor: str
    parts: Parts
    scopes: frozenset[str] = frozenset()

    def read(self) -> AbstractAsyncContextManager[TenantStore]:
        """What is theirs, for reading."""
        return reading(self.parts.database, self.tenant, self.parts.clock)

    def write(self) -> AbstractAsyncContextManager[TenantStore]:
        """What is theirs, in the request's one transaction; it is committed before the answer goes out."""
        return writing(self.parts.database, self.tenant, self.parts.clock, self.actor)

    def rehearse(self) -> AbstractAsyncContextManager[TenantStore]:
        """What is theirs, in a transaction that comes to nothing."""
        return rehearsing(self.parts.database, self.tenant, self.parts.clock)


async def identify(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    header: Annotated[str | None, Depends(_header)],
) -> Caller:
    """Who the key belongs to, if it may do what is asked; raises Unauthorised and Forbidden."""
    key = bearer.credentials if bearer else header
    if not key:
        raise Unauthorised("send an API key as `Authorization: Bearer cny_…` or `X-API-Key: cny_…`")
    parts = parts_of(request)
    async with parts.database.read() as session:
        holder = await Tenants(session).by_key(hash_key(key))
    if holder.key.expires_at is not None and holder.key.expires_at <= parts.clock():
        raise Unauthorised("this API key has expired")
    scopes = scopes_of(holder.key.role, holder.key.scopes)
    require_scope(scopes, request.method, request.scope["route"].path)
    uses: UseLog = request.app.state.uses
    uses.note([Use("api_key", holder.key.id)])
    return Caller(holder.tenant, holder.name, parts, scopes)


KnownCaller = Annotated[Caller, Depends(identify)]
