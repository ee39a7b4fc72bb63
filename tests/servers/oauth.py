"""A double of an OAuth 2 server on loopback, as RFC 6749 describes it, beside an API that takes its tokens.

with running() as oauth:
    connection = {"base_url": oauth.url, "oauth_token_url": oauth.token_url, **oauth.credentials}
    oauth.revoke()                         # the API answers 401 to every token issued so far
    oauth.answer(json_reply({"error": "invalid_client"}, 401))    # the next request for a token
    oauth.token_requests, oauth.api_requests
"""

from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, unquote_plus
from uuid import uuid4

from pydantic import JsonValue

from tests.servers import http
from tests.servers.http import Reply, Request, json_reply

SECRET = "s3cret:of/the+client ä"


class OAuth:
    """The server's addresses, its one client, and the tokens that it gave."""

    def __init__(self) -> None:
        self.server: http.Server  # set once it listens
        self.client_id = f"client {uuid4().hex}"
        self.issued: list[str] = []
        self.lifetime: JsonValue = 3600
        self._valid: set[str] = set()
        self._answers: list[Reply] = []

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def token_url(self) -> str:
        return self.url + "/token"

    @property
    def credentials(self) -> dict[str, str]:
        return {"oauth_client_id": self.client_id, "oauth_client_secret": SECRET}

    @property
    def token_requests(self) -> list[Request]:
        return [one for one in self.server.requests if one.path == "/token"]

    @property
    def api_requests(self) -> list[Request]:
        return [one for one in self.server.requests if one.path != "/token"]

    def answer(self, *replies: Reply) -> None:
        self._answers += replies

    def revoke(self) -> None:
        self._valid.clear()

    def reply_to(self, request: Request) -> Reply:
        if request.path == "/token":
            return self._answers.pop(0) if self._answers else self._token(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self._valid:
            return Reply(401, headers={"www-authenticate": 'Bearer error="invalid_token"'})
        return json_reply({"path": request.path})

    def _token(self, request: Request) -> Reply:
        fields = dict(parse_qsl(request.body.decode()))
        if fields.get("grant_type") != "client_credentials":
            return json_reply({"error": "unsupported_grant_type"}, 400)
        if _client(request, fields) != (self.client_id, SECRET):
            return json_reply({"error": "invalid_client"}, 401)
        self.issued.append(f"token-{uuid4().hex}")
        self._valid.add(self.issued[-1])
        lifetime = {} if self.lifetime is None else {"expires_in": self.lifetime}
        return json_reply({"access_token": self.issued[-1], "token_type": "Bearer", **lifetime})


@contextmanager
def running() -> Iterator[OAuth]:
    """A server with one client."""
    oauth = OAuth()
    with http.running(oauth.reply_to) as oauth.server:
        yield oauth


def _client(request: Request, fields: dict[str, str]) -> tuple[str | None, str | None]:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme != "Basic":
        return fields.get("client_id"), fields.get("client_secret")
    name, _, secret = b64decode(encoded).decode().partition(":")
    return unquote_plus(name), unquote_plus(secret)
