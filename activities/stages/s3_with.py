"""The `with:` block of `s3`: one operation, and the fields that it takes."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, model_validator

from activities.stages.kind import Block
from activities.stages.s3_bucket import BUCKET_NAME
from activities.stages.s3_upload import Checksum
from dsl.durations import Duration

KEY_LIMIT = 1024  # bytes
MOST_DELETED = 1000  # keys that S3 takes in one request
MOST_LISTED = 10_000
LONGEST_LIFE = timedelta(days=7)  # of a presigned address; the signature allows no more.

Operation = Literal["put", "get", "head", "list", "copy", "delete", "presign"]

_OBJECT = {"content_type", "metadata", "encryption", "kms_key"}
_CONTENTS = {"text", "json_", "base64", "url"}
# What each operation takes beside `operation` and `bucket`.
_TAKES: dict[str, set[str]] = {
    "put": {"key", *_CONTENTS, *_OBJECT, "overwrite", "checksum"},
    "get": {"key", "as_", "checksum", "max_bytes"},
    "head": {"key"},
    "list": {"prefix", "delimiter", "limit", "continue_from"},
    "copy": {"key", "from_key", "from_bucket", *_OBJECT},
    "delete": {"key", "keys"},
    "presign": {"key", "method", "life", "content_type"},
}
_NEEDS: dict[str, tuple[str, ...]] = {"copy": ("key", "from_key"), "list": (), "delete": ()}
_METADATA_NAME = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,100}", re.ASCII)
_HEADER = re.compile(r"[ -~]{0,2000}", re.ASCII)


def _key(key: str) -> str:
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise ValueError("the key has characters that UTF-8 has none for") from None
    if not 0 < size <= KEY_LIMIT:
        raise ValueError(f"a key has 1 to {KEY_LIMIT} bytes")
    if {".", ".."} & set(key.split("/")):  # Addresses lose them on their way, and another object is meant.
        raise ValueError("a key has no parts '.' or '..'")
    return key


def _header(text: str) -> str:
    if not _HEADER.fullmatch(text) or text != text.strip():
        raise ValueError("must be plain ASCII, of 2000 characters at most, as it goes into a header")
    return text


def _metadata_name(name: str) -> str:
    if not _METADATA_NAME.fullmatch(name):
        raise ValueError("cannot be a name of metadata; use letters, digits, - and _")
    return name


Key = Annotated[str, AfterValidator(_key)]
Header = Annotated[str, AfterValidator(_header)]
MetadataName = Annotated[str, AfterValidator(_metadata_name)]
BucketName = Annotated[str, Field(pattern=BUCKET_NAME)]


class S3With(Block):
    """The `with:` block of `s3`."""

    operation: Operation = Field(description="What to do.")
    bucket: BucketName | None = Field(None, description="The bucket, if not that of the connection.")
    key: Key | None = Field(None, description="The object's key; of a copy, that of the new object.")
    text: str | None = Field(None, description="`put`: the content, as UTF-8.")
    json_: JsonValue = Field(None, alias="json", description="`put`: the content, as JSON.")
    base64: str | None = Field(None, description="`put`: the content, in base64.")
    url: str | None = Field(
        None, description="`put`: the content is what this address answers, which may be large."
    )
    content_type: Header | None = Field(
        None,
        description="`put`, `copy`, `presign`: the media type, if not what goes with the content.",
    )
    metadata: dict[MetadataName, Header] | None = Field(
        None, description="`put`, `copy`: the object's metadata."
    )
    encryption: Literal["AES256", "aws:kms"] | None = Field(
        None, description="`put`, `copy`: how the server encrypts the object, if not as the bucket says."
    )
    kms_key: Header | None = Field(None, description="The id of the key, with `encryption: aws:kms`.")
    overwrite: bool = Field(True, description="`put`: `false` is an error if there is such an object.")
    checksum: Checksum | None = Field(
        None, description="`put`: kept with the object; `get`: compared with what arrives."
    )
    as_: Literal["auto", "text", "json", "base64"] = Field(
        "auto", alias="as", description="`get`: how to give the content; `auto` goes by its media type."
    )
    max_bytes: int = Field(1_000_000, ge=0, le=16_000_000, description="`get`: limit of the content.")
    prefix: str = Field("", description="`list`: what keys begin with.")
    delimiter: str = Field("", description="`list`: what keys are grouped at, such as `/`.")
    limit: int = Field(1000, ge=1, le=MOST_LISTED, description="`list`: how many to give at most.")
    continue_from: str | None = Field(None, description="`list`: the `next` of the list before.")
    from_key: Key | None = Field(None, description="`copy`: the key of the object to copy.")
    from_bucket: BucketName | None = Field(None, description="`copy`: its bucket, if it is another one.")
    keys: Annotated[list[Key], Field(max_length=MOST_DELETED)] | None = Field(
        None, description="`delete`: several keys, 1000 at most."
    )
    method: Literal["GET", "PUT"] = Field("GET", description="`presign`: what the address is for.")
    life: Duration = Field(
        timedelta(minutes=15),
        description="`presign`: how long the address works, 7 days at most.",
        json_schema_extra={"default": "15m"},
    )

    @model_validator(mode="after")
    def _fits_operation(self) -> "S3With":
        given = self.model_fields_set - {"operation", "bucket"}
        if odd := given - _TAKES[self.operation]:
            raise ValueError(f"{self.operation} takes no '{min(odd).rstrip('_')}'")
        if missing := [name for name in _NEEDS.get(self.operation, ("key",)) if name not in given]:
            raise ValueError(f"{self.operation} needs '{missing[0]}'")
        if self.operation == "delete" and len(given) != 1:
            raise ValueError("delete needs either 'key' or 'keys'")
        if self.operation == "put" and len(given & _CONTENTS) != 1:
            raise ValueError("put needs one of text, json, base64 and url")
        if self.kms_key is not None and self.encryption != "aws:kms":
            raise ValueError("kms_key goes with encryption: aws:kms")
        if self.operation == "presign" and self.method == "GET" and self.content_type is not None:
            raise ValueError("content_type goes with method: PUT")
        if not timedelta(seconds=1) <= self.life <= LONGEST_LIFE:
            raise ValueError("life is from 1s to 7d")
        return self
