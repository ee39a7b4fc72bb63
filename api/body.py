"""The body of a request: YAML or JSON, one reader for both, so that every problem has its place."""

from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request

from cronny.errors import CronnyError, Invalid
from dsl.document import MAX_BYTES, Document, read_document
from dsl.problems import Problem, did_you_mean

DRAINED = 8 << 20  # bytes read of a body that is too large: who still sends does not hear the answer

ModelT = TypeVar("ModelT", bound=BaseModel)


class TooLarge(CronnyError):
    """The body is larger than 512 KB."""


class Sent(BaseModel):
    """What a body must be: no field that is not listed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Body:
    """A body as it was written and as it was read."""

    text: str
    document: Document

    def read_as(self, model: type[ModelT]) -> ModelT:
        """The body as a model; raises Invalid with every problem at its place."""
        try:
            return model.model_validate(self.document.value)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False, include_context=False)
            raise Invalid(
                [self._problem(model, one["loc"], one["type"], one["msg"]) for one in found]
            ) from None

    def _problem(
        self, model: type[BaseModel], path: tuple[str | int, ...], kind: str, message: str
    ) -> Problem:
        is_unknown = kind == "extra_forbidden"
        line, column = self.document.at(path, key=is_unknown)
        where = self.document.where(path)
        if is_unknown:
            known = [field.alias or name for name, field in model.model_fields.items()]
            hint = did_you_mean(str(path[-1]), known) or f"the fields are {', '.join(known)}"
            return Problem(where, "there is no such field", hint, "unknown", line, column)
        if kind == "missing":
            return Problem(where, "is missing", "", "missing", line, column)
        return Problem(where, message[:1].lower() + message[1:], "", "invalid", line, column)


async def receive_bytes(request: Request) -> bytes:
    """The body, cut off one byte after the limit."""
    kept, received = bytearray(), 0
    async for chunk in request.stream():
        received += len(chunk)
        kept += chunk[: MAX_BYTES + 1 - len(kept)]
        if received > DRAINED:
            break
    return bytes(kept)


async def receive_body(request: Request) -> Body:
    """The body; raises TooLarge, and Invalid when it cannot be read."""
    return _read(await receive_bytes(request))


async def receive_optional_body(request: Request) -> Body:
    """The body, an empty mapping if nothing was sent."""
    return _read(await receive_bytes(request) or b"{}")


def _read(raw: bytes) -> Body:
    if len(raw) > MAX_BYTES:
        raise TooLarge(f"the body is larger than {MAX_BYTES // 1024} KiB")
    document, problems = read_document(raw)
    if document is None or problems:
        raise Invalid(problems)
    return Body(raw.decode("utf-8-sig"), document)


RawBody = Annotated[bytes, Depends(receive_bytes)]
SentBody = Annotated[Body, Depends(receive_body)]
OptionalBody = Annotated[Body, Depends(receive_optional_body)]
