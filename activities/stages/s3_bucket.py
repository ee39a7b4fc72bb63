"""A bucket of a tenant: its addresses, and requests to it, signed here and sent through the egress guard."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal
from urllib.parse import quote, urlencode

import httpx
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from pydantic import Field, SecretStr

from activities.stages.exchange import Answer, Limits, exchange, web_url
from activities.stages.kind import Block, StageError
from activities.stages.s3_errors import refused
from activities.stages.s3_xml import Element, parsed
from activities.stages.tls import Tls, tls_context
from cronny.egress import EgressPolicy

BUCKET_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$"
ANSWER_LIMIT = 8_000_000  # bytes; a page of a list has 1000 keys of up to 1024 bytes, each up to three times.
LARGE = 256 * 1024  # bytes; to sign or to parse more takes long enough to make others late.
# The signer writes what it signs, which may hold a session token, where a debugger would look.
logging.getLogger("botocore.auth").setLevel(logging.CRITICAL)


class S3Connection(Block):
    """An S3 service, of Amazon or compatible with it, and the credentials for it."""

    endpoint: str | None = Field(
        None, pattern=r"^https?://[^/?#@]+/?$", description="The service's address, if it is not Amazon's."
    )
    region: str = Field("us-east-1", pattern=r"^[A-Za-z0-9-]{1,64}$", description="The bucket's region.")
    access_key_id: str = Field(pattern=r"^[!-.0-~]{1,256}$", description="The key's id; not kept secret.")
    secret_access_key: SecretStr = Field(description="The key.")
    session_token: SecretStr | None = Field(None, description="The token of temporary credentials.")
    bucket: str | None = Field(
        None, pattern=BUCKET_NAME, description="The bucket of stages that don't name one."
    )
    addressing: Literal["path", "virtual"] | None = Field(
        None,
        description="Whether the bucket is in the path or in the host of addresses; "
        "by default in the path if there is an `endpoint`.",
    )
    ca_certificate: str | None = Field(
        None, description="The authority to trust, in PEM, if not a public one."
    )


@dataclass(frozen=True)
class Bucket:
    """A bucket and what its requests may take; without a name, the service with all its buckets."""

    connection: S3Connection
    name: str
    egress: EgressPolicy
    timeout: timedelta

    async def ask(
        self,
        method: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        max_bytes: int = ANSWER_LIMIT,
        fine: tuple[int, ...] = (),
    ) -> Answer:
        """The answer, which says that all went well or has a status that is `fine`; raises `StageError`."""
        url = self._url(key, query or {})
        if len(content) > LARGE:
            request = await asyncio.to_thread(self._request, method, url, headers or {}, content)
        else:
            request = self._request(method, url, headers or {}, content)
        limits = Limits(
            policy=self.egress,
            timeout=self.timeout,
            max_bytes=max_bytes,
            authorities=tls_context(Tls(authority=self.connection.ca_certificate)),
        )
        answer = await exchange(request, limits)
        if not 200 <= answer.status < 300 and answer.status not in fine:
            raise refused(f"{method} {self.name}/{key}", answer)
        return answer

    async def ask_xml(
        self,
        method: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
    ) -> Element:
        """The XML of the answer; S3 also tells of failures behind a status that says all went well."""
        answer = await self.ask(method, key, query=query, headers=headers, content=content)
        if len(answer.content) > LARGE:
            element = await asyncio.to_thread(parsed, answer.content)
        else:
            element = parsed(answer.content)
        if element is None or element.name == "Error":
            raise refused(f"{method} {self.name}/{key}", answer)
        return element

    def presigned(self, method: str, key: str, headers: Mapping[str, str], life: timedelta) -> str:
        """An address that anybody can use, for a while, to do one thing."""
        request = AWSRequest(method, self._url(key, {}), dict(headers))
        seconds = int(life.total_seconds())
        S3SigV4QueryAuth(self._credentials(), "s3", self.connection.region, seconds).add_auth(request)
        return str(request.url)

    def _url(self, key: str, query: Mapping[str, str]) -> str:
        settings = self.connection
        endpoint = (settings.endpoint or f"https://s3.{settings.region}.amazonaws.com").rstrip("/")
        scheme, _, host = endpoint.partition("://")
        style = settings.addressing or ("path" if settings.endpoint else "virtual")
        root = f"{scheme}://{self.name}.{host}" if style == "virtual" else f"{endpoint}/{self.name}"
        root = root if self.name else endpoint
        url = f"{root}/{quote(key, safe='/~')}"
        return f"{url}?{urlencode(sorted(query.items()), quote_via=quote, safe='~')}" if query else url

    def _request(self, method: str, url: str, headers: Mapping[str, str], content: bytes) -> httpx.Request:
        signed = AWSRequest(method, url, dict(headers), content)
        S3SigV4Auth(self._credentials(), "s3", self.connection.region).add_auth(signed)
        own = {"user-agent": "cronny", "accept-encoding": "identity"}
        try:
            return httpx.Request(
                method, web_url(url), headers={**own, **dict(signed.headers.items())}, content=content
            )
        except ValueError as error:  # Its text would quote the header.
            message = "the credentials have characters that none have"
            raise StageError("auth", message, retryable=False) from error

    def _credentials(self) -> "_Keys":
        settings = self.connection
        token = settings.session_token.get_secret_value() if settings.session_token else None
        secret = settings.secret_access_key.get_secret_value()
        return _Keys(settings.access_key_id, secret, token)


@dataclass(frozen=True)
class _Keys:
    """What the signer asks for; botocore's own class comes with all that looks for credentials."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)
