"""Which error of Cronny is which HTTP status; the domain knows no HTTP."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.body import TooLarge
from api.payload import Unreadable
from api.problem import problem_response
from cronny.errors import (
    Conflict,
    CronnyError,
    Forbidden,
    Invalid,
    LimitReached,
    NotFound,
    TooMany,
    Unauthorised,
    Unavailable,
)
from cronny.store.failures import meaning_of
from dsl.problems import Problem

STATUSES: Mapping[type[CronnyError], tuple[HTTPStatus, str]] = {
    Invalid: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid"),
    NotFound: (HTTPStatus.NOT_FOUND, "not_found"),
    Conflict: (HTTPStatus.CONFLICT, "conflict"),
    LimitReached: (HTTPStatus.CONFLICT, "limit_reached"),
    Unauthorised: (HTTPStatus.UNAUTHORIZED, "unauthorised"),
    Forbidden: (HTTPStatus.FORBIDDEN, "forbidden"),
    TooMany: (HTTPStatus.TOO_MANY_REQUESTS, "too_many"),
    Unreadable: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
    Unavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
    TooLarge: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large"),
}
HEADERS: Mapping[type[CronnyError], Mapping[str, str]] = {
    Unauthorised: {"WWW-Authenticate": "Bearer"},
    Unavailable: {"Retry-After": "5"},
    TooMany: {"Retry-After": "60"},
}

SECRET_PATHS = ("/v1/hooks/", "/v1/approvals/links/")  # what follows is as good as a key

log = logging.getLogger("api")


def install(app: FastAPI) -> None:
    """Answer every error with a problem document."""
    app.add_exception_handler(CronnyError, _on_ours)
    app.add_exception_handler(RequestValidationError, _on_request)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_middleware(LastResort)


class LastResort:
    """Answers what nobody expected without telling its insides, which go to the log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; an exception becomes an answer unless one has begun."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def watch(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except ClientDisconnect:
            return  # nobody is left to hear an answer
        except Exception as error:
            if has_begun:
                raise
            await _answer(error, scope)(scope, receive, send)


def _answer(error: Exception, scope: Scope) -> Response:
    known = meaning_of(error)
    fields = {"method": scope["method"], "path": _place(scope["path"])}
    if known is not None:
        log.warning("a transaction failed", extra={**fields, "reason": str(error)})
        return response_to(known)
    log.error("a request failed", exc_info=error, extra=fields)
    detail = "something went wrong here, not with the request; the log says what"
    return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", detail)


def status_of(error: CronnyError) -> HTTPStatus:
    """The status that an error of Cronny amounts to."""
    kind = next((kind for kind in type(error).__mro__ if kind in STATUSES), None)
    return STATUSES[kind][0] if kind is not None else HTTPStatus.INTERNAL_SERVER_ERROR


def response_to(error: CronnyError) -> Response:
    """The answer that an error of Cronny amounts to."""
    kind = next((kind for kind in type(error).__mro__ if kind in STATUSES), None)
    if kind is None:
        log.error("a request failed", exc_info=error)
        return problem_response(
            HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "the installation has a problem"
        )
    status, code = STATUSES[kind]
    problems = error.problems if isinstance(error, Invalid) else ()
    return problem_response(status, code, str(error), problems, HEADERS.get(kind))


def _on_ours(_: Request, error: Exception) -> Response:
    return response_to(error) if isinstance(error, CronnyError) else _unexpected(error)


def _on_request(_: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        return _unexpected(error)
    problems = [_parameter_problem(one["loc"], one["msg"]) for one in error.errors()]
    return response_to(Invalid(problems))


def _on_http(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return _unexpected(error)
    status = HTTPStatus(error.status_code)
    return problem_response(status, status.name.lower(), error.detail, headers=error.headers)


def _place(path: str) -> str:
    """A path without the tokens that some have."""
    return next((f"{prefix}…" for prefix in SECRET_PATHS if path.startswith(prefix)), path)


def _parameter_problem(place: tuple[str | int, ...], message: str) -> Problem:
    return Problem(".".join(map(str, place)), message[:1].lower() + message[1:])


def _unexpected(error: Exception) -> Response:
    raise error
