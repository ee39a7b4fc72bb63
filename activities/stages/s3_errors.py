"""What S3 refuses, as errors of a stage."""

import re
from datetime import timedelta

from pydantic import JsonValue

from activities.stages.exchange import Answer
from activities.stages.kind import StageError
from activities.stages.s3_xml import Element, parsed

PAUSE = timedelta(seconds=5)  # when a server asks for fewer requests without saying how long.

_AUTH = frozenset(
    (
        "AccessDenied",
        "AccountProblem",
        "AllAccessDisabled",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "NotSignedUp",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
    )
)
_BUSY = frozenset(
    (
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
    )
)
_PASSING = frozenset(
    (
        "ConditionalRequestConflict",
        "InternalError",
        "OperationAborted",
        "RequestTimeout",
        "RequestTimeTooSkewed",
    )
)
# What an answer without a body, as to HEAD, says by its status alone.
_BY_STATUS = {
    301: "PermanentRedirect",
    307: "TemporaryRedirect",
    400: "BadRequest",
    401: "AccessDenied",
    403: "AccessDenied",
    404: "NotFound",
    412: "PreconditionFailed",
    429: "TooManyRequests",
    503: "ServiceUnavailable",
}
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9.]{0,63}", re.ASCII)
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def refused(what: str, answer: Answer) -> StageError:
    """The failure that an answer amounts to, under S3's own code."""
    error = parsed(answer.content)
    found = error if error is not None and error.name == "Error" else Element("Error")
    code = found.get("Code")
    if not _CODE.fullmatch(code):  # A page of something in between.
        code = _BY_STATUS.get(answer.status, "InternalError" if answer.status >= 500 else "UnexpectedAnswer")
    message = f"{what}: {code} {found.get('Message')[:500]}".rstrip()
    if region := answer.headers.get("x-amz-bucket-region") or found.get("Region"):
        message += f"; the bucket is in the region {region[:40]!r}"
    return refusal(code, message, status=answer.status, wait=answer.retry_after)


def refusal(
    code: str, message: str, *, status: int, wait: timedelta | None = None, details: JsonValue = None
) -> StageError:
    """The failure with one of S3's codes."""
    is_busy = code in _BUSY
    told: dict[str, JsonValue] = {"error": code, "status": status}
    if code in _AUTH:
        ours = "auth"
    else:
        ours = "rate_limited" if is_busy else f"s3.{_WORD.sub('_', code.replace('.', '')).lower()}"
    return StageError(
        ours,
        message,
        retryable=is_busy or code in _PASSING or status >= 500,
        retry_after=wait or (PAUSE if is_busy else None),
        details={**told, "refused": details} if details else told,
    )
