"""The body of a request: YAML or JSON, one reader for both, so that every problem has its place."""

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends
from pydantic import BaseModel
from starlette.requests import Request

from cronny.errors import CronnyError, Invalid
from dsl.document import MAX_BYTES, Document, Path, read_document
from dsl.report import Report
from dsl.shapes import check_shape

DRAINED = 8 << 20  # bytes read of a body that is too large: who still sends does not hear the answer

ModelT = TypeVar("ModelT", bound=BaseModel)

ANY_TEXT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/yaml": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object"}},
        },
    }
}


class TooLarge(CronnyError):
    """The body is larger than 512 KiB."""


@dataclass(frozen=True)
class Body:
    """A body as it was read, with the place of each of its parts."""

    document: Document

    def read_as(self, model: type[ModelT]) -> ModelT:
        """The body as a model; raises Invalid with every problem at its place."""
        return self.read_part(model, self.document.value, ())

    def read_part(self, model: type[ModelT], value: object, path: Path) -> ModelT:
        """A part of the body, which stands at `path`, as a model; raises Invalid."""
        report = Report(self.document)
        found = check_shape(model, value, report, path)  # type: ignore[arg-type]  # JSON, or it is refused
        if found is None:
            raise Invalid(report.problems)
        return found

    def refuse(self, path: Path, what: str, hint: str = "", code: str = "invalid") -> Invalid:
        """The error of one part."""
        report = Report(self.document)
        report.add(path, what, hint, code)
        return Invalid(report.problems)


async def receive_bytes(request: Request) -> bytes:
    """The body, cut off one byte after the limit."""
    kept, received = bytearray(), 0
    async for chunk in request.stream():
        received += len(chunk)
        kept += chunk[: MAX_BYTES + 1 - len(kept)]
        if received > DRAINED:
            break
    return bytes(kept)


async def receive_text(request: Request) -> bytes:
    """The body; raises TooLarge."""
    raw = await receive_bytes(request)
    if len(raw) > MAX_BYTES:
        raise TooLarge(f"the body is larger than {MAX_BYTES // 1024} KiB")
    return raw


async def receive_body(request: Request) -> Body:
    """The body; raises TooLarge, and Invalid when it cannot be read."""
    return _read(await receive_text(request))


async def receive_optional_body(request: Request) -> Body:
    """The body, an empty mapping if nothing was sent."""
    return _read(await receive_text(request) or b"{}")


def documented(model: type[BaseModel], *, is_required: bool = True) -> dict[str, Any]:
    """The body of an endpoint, for OpenAPI, which cannot see it in the signature."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    content = {"application/json": {"schema": schema}, "application/yaml": {"schema": schema}}
    return {"requestBody": {"required": is_required, "content": content}}


def _read(raw: bytes) -> Body:
    document, problems = read_document(raw)
    if document is None or problems:
        raise Invalid(problems)
    return Body(document)


RawBody = Annotated[bytes, Depends(receive_text)]
SentBody = Annotated[Body, Depends(receive_body)]
OptionalBody = Annotated[Body, Depends(receive_optional_body)]
