"""The connection of `http`: a server, how to reach it, and the credentials for it."""

from base64 import b64encode
from typing import Annotated, Literal

import httpx
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic.config import JsonDict

from activities.stages.exchange import web_url
from activities.stages.kind import Block, StageError
from activities.stages.oauth import Grant
from activities.stages.tls import Tls


def _public(text: str) -> str:
    if "PRIVATE KEY" in text:  # It would be shown to everybody who may see the connection.
        raise ValueError("holds a private key; that belongs in client_key")
    return text


Pem = Annotated[str, AfterValidator(_public)]
MULTILINE: JsonDict = {"x-multiline": True}  # what nobody types at a prompt


class HttpConnection(Block):
    """A server and the credentials for it, which are sent to no other."""

    base_url: str = Field(pattern=r"^https?://[^?#]+$", description="What the `url` of a stage is below.")
    headers: dict[str, str] = Field({}, description="Headers of every request; not kept secret.")
    token: SecretStr | None = Field(None, description="A bearer token.")
    username: str | None = Field(None, description="For basic authentication.")
    password: SecretStr | None = Field(None, description="For basic authentication.")
    api_key: SecretStr | None = Field(None, description="Sent in the header `api_key_header`.")
    api_key_header: str = Field("X-API-Key", description="The name of that header.")
    api_key_query: str | None = Field(
        None, min_length=1, description="Sends `api_key` in the query instead, under this name."
    )
    oauth_token_url: str | None = Field(
        None,
        pattern=r"^https?://[^#]+$",
        description="Where OAuth 2 gives tokens for client credentials. They are kept in memory until they "
        "expire, and fetched again once if the server answers 401.",
    )
    oauth_client_id: str | None = Field(None, min_length=1, description="The client's id.")
    oauth_client_secret: SecretStr | None = Field(None, description="The client's secret.")
    oauth_client_auth: Literal["basic", "body"] = Field(
        "basic", description="How these are sent: as basic authentication, or in the body."
    )
    oauth_scope: str | None = Field(None, description="The scopes to ask for, with spaces between them.")
    oauth_parameters: dict[str, str] = Field(
        {}, description="What else to send for a token, such as `audience`; not kept secret."
    )
    ca_certificate: Pem | None = Field(
        None,
        json_schema_extra=MULTILINE,
        description="The authority to trust instead of the public ones, in PEM; it may be the server's own "
        "certificate. Verification cannot be switched off.",
    )
    client_certificate: Pem | None = Field(
        None,
        json_schema_extra=MULTILINE,
        description="The certificate to show to the server, in PEM, with those between it and its root.",
    )
    client_key: SecretStr | None = Field(
        None, json_schema_extra=MULTILINE, description="The key of that certificate, in PEM."
    )
    client_key_password: SecretStr | None = Field(None, description="What opens that key, if it is locked.")
    tls_minimum: Annotated[Literal["1.2", "1.3"], BeforeValidator(str)] = Field(
        "1.2", description="The oldest version of TLS to accept."
    )
    tls_server_name: str | None = Field(
        None, min_length=1, description="The name in the server's certificate, if the URL has another."
    )

    @model_validator(mode="after")
    def _is_complete(self) -> "HttpConnection":
        oauth = (self.oauth_token_url, self.oauth_client_id, self.oauth_client_secret)
        if any(oauth) and not all(oauth):
            raise ValueError("give oauth_token_url, oauth_client_id and oauth_client_secret together")
        if (self.client_certificate is None) != (self.client_key is None):
            raise ValueError("give client_certificate and client_key together")
        ways = {"token": self.token, "username": self.username, "oauth_token_url": self.oauth_token_url}
        given = [name for name, value in ways.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"give one of {' and '.join(given)}; a request carries one Authorization")
        return self

    @property
    def tls(self) -> Tls:
        """What it asks of TLS."""
        return Tls(
            authority=self.ca_certificate,
            certificate=self.client_certificate,
            key=self.client_key,
            key_password=self.client_key_password,
            minimum=self.tls_minimum,
        )

    @property
    def grant(self) -> Grant | None:
        """How to get its tokens, if it has any to get."""
        if not (self.oauth_token_url and self.oauth_client_id and self.oauth_client_secret):
            return None
        scope = {"scope": self.oauth_scope} if self.oauth_scope else {}
        return Grant(
            token_url=self.oauth_token_url,
            client_id=self.oauth_client_id,
            client_secret=self.oauth_client_secret,
            is_in_body=self.oauth_client_auth == "body",
            parameters=tuple((scope | self.oauth_parameters).items()),
        )

    def address(self, text: str) -> httpx.URL:
        """The URL that a stage means; raises `StageError` for another server's."""
        root = web_url(self.base_url)
        if not text.lower().startswith(("http:", "https:")):
            return web_url(f"{self.base_url.rstrip('/')}/{text.lstrip('/')}")
        url = web_url(text)
        if (url.scheme, url.netloc) != (root.scheme, root.netloc):
            message = f"the connection is for {root.host}, not for {url.host}: give a path, or no connection"
            raise StageError("validation", message, retryable=False)
        return url

    def query(self) -> dict[str, str]:
        """What it adds to the query."""
        if self.api_key is None or self.api_key_query is None:
            return {}
        return {self.api_key_query: self.api_key.get_secret_value()}

    def fields(self, access_token: str | None) -> dict[str, str]:
        """The headers that it adds, by their names in lower case."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.api_key and self.api_key_query is None:
            headers[self.api_key_header.lower()] = self.api_key.get_secret_value()
        bearer = access_token or (self.token.get_secret_value() if self.token else None)
        if bearer is not None:
            headers["authorization"] = f"Bearer {bearer}"
        elif self.username is not None:
            password = self.password.get_secret_value() if self.password else ""
            headers["authorization"] = f"Basic {b64encode(f'{self.username}:{password}'.encode()).decode()}"
        return headers
