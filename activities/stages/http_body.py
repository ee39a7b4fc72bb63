"""The body of a request: JSON, a form, a form with files, a text, or bytes."""

import binascii
from base64 import b64decode
from typing import Annotated
from urllib.parse import urlencode

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from activities.stages.kind import Block

Scalar = str | int | float | bool
Fields = dict[str, Scalar | list[Scalar] | None]


def _base64(text: str) -> str:
    try:
        b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("is not base64") from error
    return text


Base64 = Annotated[str, AfterValidator(_base64)]


class Binary(Block):
    """Bytes, as the output of a stage holds them."""

    base64: Base64 = Field(description="The bytes.")


def _body_tag(value: object) -> str:
    return "(bytes)" if isinstance(value, dict | Binary) else "(text)"


# Told apart by its shape, so that a mapping that is wrong is not also said to be no text.
Body = Annotated[
    Annotated[str, Tag("(text)")] | Annotated[Binary, Tag("(bytes)")],
    Discriminator(_body_tag),
]


class FormFile(Block):
    """A file in a form; its content is a text or bytes."""

    filename: str = Field(min_length=1, description="Its name.")
    text: str | None = Field(None, description="Its content.")
    base64: Base64 | None = Field(None, description="Its content, as bytes.")
    content_type: str | None = Field(
        None, pattern=r"^[\x20-\x7e]+$", description="Its media type; found from its name, unless given."
    )

    @model_validator(mode="after")
    def _has_one_content(self) -> "FormFile":
        if (self.text is None) == (self.base64 is None):
            raise ValueError("give one of text and base64")
        return self

    def content(self) -> bytes:
        """Its bytes."""
        return b64decode(self.base64) if self.base64 is not None else (self.text or "").encode()


def text_of(value: Scalar | None) -> str:
    """A value in a header, a query or a form."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def pairs_of(fields: Fields) -> list[tuple[str, str]]:
    """A query or a form; a list repeats its name, nothing leaves it out."""
    return [
        (name, text_of(item))
        for name, value in fields.items()
        if value is not None
        for item in (value if isinstance(value, list) else [value])
    ]


def form_bytes(fields: Fields) -> bytes:
    """The form, as browsers send it."""
    return urlencode(pairs_of(fields)).encode()


def bytes_of(body: str | Binary) -> bytes:
    """The bytes of a body."""
    return b64decode(body.base64) if isinstance(body, Binary) else body.encode()


Multipart = dict[str, Scalar | FormFile]
Part = tuple[str | None, bytes, str | None] | tuple[None, bytes]


def parts_of(form: Multipart) -> list[tuple[str, Part]]:
    """The parts of a form with files, as httpx takes them."""
    return [(name, _part(value)) for name, value in form.items()]


def _part(value: Scalar | FormFile) -> Part:
    if isinstance(value, FormFile):
        return value.filename, value.content(), value.content_type
    return None, text_of(value).encode()
