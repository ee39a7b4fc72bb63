"""The API as the client commands see it."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer
from pydantic import JsonValue, ValidationError

from cronny.cli.client_file import read_known
from cronny.cli.complaint import one_line
from cronny.errors import CronnyError, SettingsError, Unavailable
from cronny.settings import Settings
from dsl.problems import Problem

TIMEOUT = httpx.Timeout(30.0, connect=5.0)  # seconds; a server that is away is noticed soon
SILENCE = 45.0  # seconds without anything, even a sign of life, after which a stream is given up

Url = Annotated[
    str | None,
    typer.Option("--url", envvar="CRONNY_URL", help="The API; else the one `cronny up` runs here."),
]
Key = Annotated[
    str | None,
    typer.Option("--key", envvar="CRONNY_API_KEY", help="An API key; else the one `cronny up` left."),
]


class Refused(CronnyError):
    """The API refuses this."""

    def __init__(self, status: int, code: str, detail: str, problems: tuple[Problem, ...] = ()) -> None:
        self.status = status
        self.code = code
        self.problems = problems
        super().__init__(detail)


class Client:
    """Requests as one tenant; every answer that is not a success is raised."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        # No proxy and no credentials from elsewhere: the key goes to this server and to no other.
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {key}", "User-Agent": "cronny"},
            timeout=TIMEOUT,
            trust_env=False,
        )

    def get(self, *path: str, **query: str | int | list[str] | None) -> Any:
        """What is there."""
        return self._ask("GET", path, params=_given(query))

    def put(self, *path: str, content: bytes, **query: str | None) -> Any:
        """What came of writing a document, YAML or JSON."""
        headers = {"Content-Type": "application/yaml"}
        return self._ask("PUT", path, content=content, headers=headers, params=_given(query))

    def post(self, *path: str, json: Mapping[str, JsonValue] | None = None, **query: str | None) -> Any:
        """What came of asking for something."""
        return self._ask("POST", path, json=dict(json or {}), params=_given(query))

    def check(self, content: bytes) -> Any:
        """What the server says of an action that is not uploaded."""
        headers = {"Content-Type": "application/yaml"}
        return self._ask("POST", ("validate",), content=content, headers=headers)

    def delete(self, *path: str, **query: str | None) -> Any:
        """What came of deleting something."""
        return self._ask("DELETE", path, params=_given(query))

    def stream(self, *path: str, headers: Mapping[str, str], **query: Any) -> Iterator[str]:
        """The lines of an answer as they come; raises Unavailable when it breaks off."""
        timeout = httpx.Timeout(SILENCE, connect=5.0)
        try:
            with self._http.stream(
                "GET", _place(path), params=_given(query), headers=headers, timeout=timeout
            ) as response:
                if not response.is_success:
                    response.read()
                    raise _refusal(response)
                is_stream = response.headers.get("Content-Type", "").startswith("text/event-stream")
                if not is_stream and response.status_code != HTTPStatus.NO_CONTENT:
                    raise Unavailable(f"{response.url.host} does not answer as the API does")
                yield from response.iter_lines()
        except httpx.TransportError as error:
            raise Unavailable(_unreachable(self.url, error)) from error
        except (httpx.InvalidURL, UnicodeError) as error:
            raise SettingsError(f"'{self.url}' is no URL of an API: {error}") from error

    def download(self, *path: str) -> Iterator[tuple[bytes, int]]:
        """A value of any size, in pieces, each with the size of the whole; raises Unavailable."""
        try:
            with self._http.stream("GET", _place(path)) as response:
                if not response.is_success:
                    response.read()
                    raise _refusal(response)
                total = int(response.headers.get("Content-Length", 0))
                for piece in response.iter_bytes():
                    yield piece, total
        except httpx.TransportError as error:
            raise Unavailable(_unreachable(self.url, error)) from error
        except (httpx.InvalidURL, UnicodeError) as error:
            raise SettingsError(f"'{self.url}' is no URL of an API: {error}") from error

    def _ask(self, method: str, path: tuple[str, ...], **options: Any) -> Any:
        try:
            response = self._http.request(method, _place(path), **options)
        except httpx.TransportError as error:
            raise Unavailable(_unreachable(self.url, error)) from error
        except (httpx.InvalidURL, UnicodeError) as error:
            raise SettingsError(f"'{self.url}' is no URL of an API: {error}") from error
        if response.is_success:
            return _content(response)
        raise _refusal(response)


def open_client(url: str | None, key: str | None) -> Client:
    """The API of the flags, of the environment, or of the `cronny up` that left its file here."""
    known = read_known(read_settings())
    target = url or (known.url if known else None)
    if target is None:
        raise SettingsError("no API is known here; run `cronny up`, or give --url and --key")
    if key is None and known is not None and known.url.rstrip("/") == target.rstrip("/"):
        key = known.key
    if key is None:
        raise SettingsError(f"no API key for {target}; give --key or set CRONNY_API_KEY")
    if not key.isascii() or not key.isprintable():
        raise SettingsError("this is no API key: it has characters that no key has")
    return Client(target, key)


def read_settings(flags: Mapping[str, Any] | None = None) -> Settings:
    """The settings of this installation; raises SettingsError with the name of the one that is wrong."""
    try:
        return Settings.model_validate(dict(flags or {}))
    except ValidationError as error:
        problem = error.errors()[0]
        raise SettingsError(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from None


def _place(path: tuple[str, ...]) -> str:
    return "/v1/" + "/".join(quote(part, safe="") for part in path)


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _content(response: httpx.Response) -> Any:
    if response.status_code == HTTPStatus.NO_CONTENT or not response.content:
        return None
    try:
        return response.json()
    except ValueError:
        raise Unavailable(f"{response.url.host} does not answer as the API does") from None


def _refusal(response: httpx.Response) -> CronnyError:
    try:
        body = response.json()
        problems = tuple(Problem(**problem) for problem in body.get("problems", ()))
        detail, code = str(body["detail"]), str(body["code"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return Unavailable(f"{response.url} answers {response.status_code}, not as the API does")
    return Refused(response.status_code, code, one_line(detail), problems)


def _unreachable(url: str, error: httpx.TransportError) -> str:
    if isinstance(error, httpx.UnsupportedProtocol):
        return f"'{url}' is no URL of an API, such as http://127.0.0.1:8080"
    reason = "no answer in time" if isinstance(error, httpx.TimeoutException) else _plain(str(error))
    return f"no API at {url} ({reason}); run `cronny up` to start one"


def _plain(reason: str) -> str:
    """`[Errno 111] Connection refused` without its number."""
    text = one_line(reason)
    return text.partition("] ")[2].lower() if text.startswith("[Errno") else text
