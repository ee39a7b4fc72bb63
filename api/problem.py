"""Errors as the API tells them: `application/problem+json`, RFC 9457."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.answers import AsciiJson
from dsl.problems import Problem

MEDIA_TYPE = "application/problem+json"


class PlacedProblem(BaseModel):
    """One thing wrong at one place of what was sent; lines and columns count from 1."""

    model_config = ConfigDict(frozen=True)

    where: str = Field(description="The field, such as `stages.fetch.with.url`.")
    what: str = Field(description="What is wrong there.")
    hint: str = Field("", description="What to do about it.")
    code: str = Field("invalid", description="For programs.")
    line: int = 1
    column: int = 1


class ProblemDetails(BaseModel):
    """Why a request was refused."""

    model_config = ConfigDict(frozen=True)

    type: str = "about:blank"
    title: str = Field(description="The HTTP status in words.")
    status: int
    detail: str = Field(description="What happened, for people.")
    code: str = Field(description="For programs: `not_found`, `conflict`, `invalid`, …")
    problems: tuple[PlacedProblem, ...] = Field((), description="Everything that is wrong, all at once.")


def placed(problems: Iterable[Problem]) -> tuple[PlacedProblem, ...]:
    """The problems as they are answered."""
    return tuple(
        PlacedProblem(
            where=problem.where,
            what=problem.what,
            hint=problem.hint,
            code=problem.code,
            line=problem.line,
            column=problem.column,
        )
        for problem in problems
    )


def problem_response(
    status: HTTPStatus,
    code: str,
    detail: str,
    problems: Iterable[Problem] = (),
    headers: Mapping[str, str] | None = None,
) -> AsciiJson:
    """The answer to a request that is refused."""
    details = ProblemDetails(
        title=status.phrase, status=status, detail=detail, code=code, problems=placed(problems)
    )
    body = details.model_dump(mode="json", exclude=None if details.problems else {"problems"})
    return AsciiJson(body, status, dict(headers or {}), MEDIA_TYPE)


def refusals(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """What an endpoint answers instead, for OpenAPI."""
    return {int(status): {"description": status.phrase, "model": ProblemDetails} for status in statuses}
