"""What `s3` does: each operation takes its bucket and fields, and gives its output."""

import json
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from email.utils import parsedate_to_datetime
from hashlib import md5
from urllib.parse import quote, unquote_plus

import httpx
from pydantic import JsonValue
from pydantic_core import from_json

from activities.stages.body import body_value
from activities.stages.exchange import Answer, Limits, streamed, web_url
from activities.stages.kind import StageError
from activities.stages.s3_bucket import Bucket
from activities.stages.s3_errors import refusal
from activities.stages.s3_upload import Upload, checksum_of, upload, whole
from activities.stages.s3_with import S3With
from activities.stages.s3_xml import Element, delete_request
from dsl.durations import format_duration

PAGE = 1000  # keys; S3 gives no more at once.
META = "x-amz-meta-"

Output = dict[str, JsonValue]


async def put(bucket: Bucket, fields: S3With) -> Output:
    """The new object: its ETag, its size, and the parts it was sent in."""
    key = fields.key or ""
    content, content_type = _content(fields)
    headers = _object_headers(fields) | {"content-type": fields.content_type or content_type}
    conditions = {} if fields.overwrite else {"if-none-match": "*"}
    wanted = Upload(bucket, key, headers, conditions, fields.checksum)
    if content is not None:
        done = await upload(wanted, whole(content))
    else:
        async with aclosing(_fetched(bucket, fields.url or "")) as chunks:
            done = await upload(wanted, chunks)
    return {"bucket": bucket.name, "key": key, "etag": done.etag, "size": done.size, "parts": done.parts}


async def get(bucket: Bucket, fields: S3With) -> Output:
    """The object with its content."""
    headers = {"x-amz-checksum-mode": "ENABLED"} if fields.checksum else {}
    answer = await bucket.ask("GET", fields.key or "", headers=headers, max_bytes=fields.max_bytes)
    _compare(answer, fields)
    return {**_properties(answer), "size": len(answer.content), "body": _read(answer, fields.as_)}


async def head(bucket: Bucket, fields: S3With) -> Output:
    """Whether the object exists, and what is known of it."""
    answer = await bucket.ask("HEAD", fields.key or "", fine=(404,))
    if answer.status != 404:
        size = answer.headers.get("content-length", "")
        return {"exists": True, **_properties(answer), "size": int(size) if size.isdecimal() else None}
    there = await bucket.ask("HEAD", fine=(404,))  # The same answer may mean that there is no such bucket.
    if there.status == 404:
        raise refusal("NoSuchBucket", f"there is no bucket {bucket.name}", status=404)
    return {"exists": False}


async def list_(bucket: Bucket, fields: S3With) -> Output:
    """Objects and common prefixes, in order, and where the next list begins if there are more."""
    objects: list[JsonValue] = []
    prefixes: list[JsonValue] = []
    following = fields.continue_from
    while (room := fields.limit - len(objects) - len(prefixes)) > 0:
        page = await bucket.ask_xml("GET", query=_page(fields, min(room, PAGE), following))
        plain = unquote_plus if page.get("EncodingType") == "url" else str
        objects += [_listed(item, plain) for item in page.all("Contents")]
        prefixes += [plain(item.get("Prefix")) for item in page.all("CommonPrefixes")]
        following = page.get("NextContinuationToken") or None
        if page.get("IsTruncated") != "true" or following is None:
            following = None
            break
    return {"objects": objects, "prefixes": prefixes, "next": following}


async def copy(bucket: Bucket, fields: S3With) -> Output:
    """The new object; its type and metadata are those of the old one unless others are given."""
    source = f"/{fields.from_bucket or bucket.name}/{quote(fields.from_key or '', safe='/~')}"
    headers = {**_object_headers(fields), "x-amz-copy-source": source}
    if fields.content_type is not None:
        headers["content-type"] = fields.content_type
    if fields.content_type is not None or fields.metadata is not None:
        headers["x-amz-metadata-directive"] = "REPLACE"
    done = await bucket.ask_xml("PUT", fields.key or "", headers=headers)
    return {"bucket": bucket.name, "key": fields.key, "etag": done.get("ETag")}


async def delete(bucket: Bucket, fields: S3With) -> Output:
    """The keys that there are no objects of now; for S3 one that was not there is one that is gone."""
    if fields.key is not None:
        await bucket.ask("DELETE", fields.key)
        return {"deleted": [fields.key]}
    keys = list(dict.fromkeys(fields.keys or ()))
    if keys:
        await _delete_many(bucket, keys)
    return {"deleted": [*keys]}


async def presign(bucket: Bucket, fields: S3With) -> Output:
    """An address that works without credentials, which is a secret itself as long as it lives."""
    if bucket.connection.session_token is not None:  # It would be a part of the address, and masked in it.
        message = "an address would hold the session token; presign with a connection that has none"
        raise StageError("validation", message, retryable=False)
    headers = {"content-type": fields.content_type} if fields.content_type else {}
    url = bucket.presigned(fields.method, fields.key or "", headers, fields.life)
    return {"url": url, "method": fields.method, "headers": {**headers}, "life": format_duration(fields.life)}


OPERATIONS: Mapping[str, Callable[[Bucket, S3With], Awaitable[Output]]] = {
    "put": put,
    "get": get,
    "head": head,
    "list": list_,
    "copy": copy,
    "delete": delete,
    "presign": presign,
}


def _content(fields: S3With) -> tuple[bytes | None, str]:
    """The content, unless it is still to be fetched, and its media type."""
    try:
        if fields.text is not None:
            return fields.text.encode(), "text/plain; charset=utf-8"
        if fields.base64 is not None:
            return b64decode(fields.base64, validate=True), "application/octet-stream"
        if fields.url is not None:
            return None, "application/octet-stream"
        return json.dumps(fields.json_, ensure_ascii=False, allow_nan=False).encode(), "application/json"
    except ValueError as error:
        raise StageError("validation", f"the content cannot be sent: {error}", retryable=False) from error


async def _fetched(bucket: Bucket, url: str) -> AsyncGenerator[bytes, None]:
    """What an address answers, bit by bit; an answer that breaks off is an error, never an end."""
    headers = {"user-agent": "cronny", "accept-encoding": "identity"}
    request = httpx.Request("GET", web_url(url), headers=headers)
    limits = Limits(bucket.egress, bucket.timeout, max_bytes=0, follow_redirects=True)
    async with streamed(request, limits) as response:
        if response.status_code != 200:
            message = f"{request.url.host} answered {response.status_code}"
            is_passing = response.status_code >= 500 or response.status_code in {408, 425, 429}
            raise StageError("http.status", message, retryable=is_passing)
        async for chunk in response.aiter_raw():
            yield chunk


def _object_headers(fields: S3With) -> dict[str, str]:
    headers = {f"{META}{name.lower()}": value for name, value in (fields.metadata or {}).items()}
    if fields.encryption is not None:
        headers["x-amz-server-side-encryption"] = fields.encryption
    if fields.kms_key is not None:
        headers["x-amz-server-side-encryption-aws-kms-key-id"] = fields.kms_key
    return headers


def _properties(answer: Answer) -> Output:
    headers = answer.headers
    metadata: Output = {
        name.removeprefix(META): value for name, value in headers.items() if name.startswith(META)
    }
    return {
        "etag": headers.get("etag", ""),
        "content_type": headers.get("content-type", ""),
        "last_modified": _instant(headers.get("last-modified", "")),
        "metadata": metadata,
    }


def _instant(text: str) -> str | None:
    try:
        return parsedate_to_datetime(text).isoformat()
    except ValueError:
        return None


def _read(answer: Answer, wanted: str) -> JsonValue:
    content = answer.content
    try:
        match wanted:
            case "base64":
                return b64encode(content).decode()
            case "text":
                return content.decode()
            case "json":
                value: JsonValue = from_json(content, allow_inf_nan=False)
                return value
    except ValueError as error:
        raise StageError("validation", f"the content is not {wanted}: {error}", retryable=False) from error
    return body_value(content, answer.content_type, answer.charset)


def _compare(answer: Answer, fields: S3With) -> None:
    if fields.checksum is None:
        return
    kept = answer.headers.get(f"x-amz-checksum-{fields.checksum}", "")
    if not kept or "-" in kept or "content-encoding" in answer.headers:  # `-` is behind that of parts.
        message = f"the object has no {fields.checksum} of its whole content to compare with"
        raise StageError("validation", message, retryable=False)
    if kept != checksum_of(answer.content, fields.checksum):
        message = f"what arrived has another {fields.checksum} than the object"
        raise StageError("s3.checksum_mismatch", message, retryable=True)


def _page(fields: S3With, count: int, following: str | None) -> dict[str, str]:
    query = {
        "list-type": "2",
        "max-keys": str(count),
        "encoding-type": "url",
        "prefix": fields.prefix,
        "delimiter": fields.delimiter,
        "continuation-token": following or "",
    }
    return {name: value for name, value in query.items() if value}


def _listed(item: Element, plain: Callable[[str], str]) -> JsonValue:
    size = item.get("Size")
    return {
        "key": plain(item.get("Key")),
        "size": int(size) if size.isdecimal() else None,
        "etag": item.get("ETag"),
        "last_modified": item.get("LastModified"),
    }


async def _delete_many(bucket: Bucket, keys: list[str]) -> None:
    body = delete_request(keys)
    digest = b64encode(md5(body, usedforsecurity=False).digest()).decode()
    headers = {"content-md5": digest, "content-type": "application/xml"}
    done = await bucket.ask_xml("POST", query={"delete": ""}, headers=headers, content=body)
    failed = [(item.get("Key"), item.get("Code"), item.get("Message")) for item in done.all("Error")]
    if failed:
        key, code, text = failed[0]
        details: JsonValue = [{"key": key, "error": code} for key, code, _ in failed]
        message = f"{len(failed)} of {len(keys)} objects were not deleted; {key[:200]}: {code} {text[:200]}"
        raise refusal(code or "InternalError", message, status=200, details=details)
