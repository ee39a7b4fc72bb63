"""Uploads of what is large or comes bit by bit: whole at the end, or given up without a trace."""

import asyncio
import re
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from hashlib import md5
from threading import Event
from typing import Any

import pytest

from activities.stages.kind import StageError
from activities.stages.s3 import S3
from activities.stages.s3_bucket import Bucket, S3Connection
from activities.stages.s3_upload import PART, Upload, upload
from tests.servers import http, s3
from tests.servers.http import Reply, Request
from tests.stages.contexts import LOOPBACK, PATIENCE, brief, failure, run

NAME = "uploads"
BODY = bytes(range(256)) * (2 * PART // 256) + b"the end"  # two parts and a little


@pytest.fixture(scope="module")
def server() -> Iterator[s3.Server]:
    with s3.running() as server:
        server.client().create_bucket(Bucket=NAME)
        yield server


@pytest.fixture
def there(server: s3.Server) -> dict[str, object]:
    return {**server.settings, "bucket": NAME}


@pytest.fixture(scope="module")
def client(server: s3.Server) -> Any:
    return server.client()


@pytest.fixture
def source() -> Iterator[http.Server]:
    with http.running() as source:
        yield source


def uploads(client: Any) -> list[Any]:
    """What was begun and neither completed nor given up."""
    found: list[Any] = client.list_multipart_uploads(Bucket=NAME).get("Uploads", [])
    return found


def exists(client: Any, key: str) -> bool:
    return bool(client.list_objects_v2(Bucket=NAME, Prefix=key)["KeyCount"])


@pytest.mark.parametrize("checksum", [None, "crc32", "sha256"])
async def test_a_large_answer_becomes_an_object_part_by_part(
    there: dict[str, object], client: Any, source: http.Server, checksum: str | None
) -> None:
    source.answer("/export", http.redirect("/file"))
    source.answer("/file", Reply(body=BODY))
    fields = {"operation": "put", "key": "large", "url": f"{source.url}/export", "checksum": checksum}
    output = await run(S3, {**fields, "metadata": {"n": "1"}, "content_type": "text/csv"}, there)
    kept = client.get_object(Bucket=NAME, Key="large")
    assert (output["size"], output["parts"]) == (len(BODY), 3)
    assert md5(kept["Body"].read()).digest() == md5(BODY).digest()
    assert (kept["Metadata"], kept["ContentType"], uploads(client)) == ({"n": "1"}, "text/csv", [])


@pytest.mark.parametrize(
    ("size", "parts"), [(0, 1), (1, 1), (PART, 1), (PART + 1, 2), (2 * PART, 2)], ids=str
)
async def test_the_number_of_parts_follows_the_size(
    there: dict[str, object], source: http.Server, size: int, parts: int
) -> None:
    source.answer("/", Reply(body=bytes(size)))
    output = await run(S3, {"operation": "put", "key": f"k{size}", "url": source.url}, there)
    assert (output["size"], output["parts"]) == (size, parts)


async def test_a_large_upload_overwrites_nothing_unasked(
    there: dict[str, object], client: Any, source: http.Server
) -> None:
    source.answer("/", Reply(body=BODY))
    client.put_object(Bucket=NAME, Key="kept", Body=b"first")
    fields = {"operation": "put", "key": "kept", "url": source.url, "overwrite": False}
    error = await failure(S3, fields, there)
    assert (error.code, uploads(client)) == ("s3.precondition_failed", [])
    assert client.get_object(Bucket=NAME, Key="kept")["Body"].read() == b"first"


async def test_a_source_that_breaks_off_leaves_nothing(
    there: dict[str, object], client: Any, source: http.Server
) -> None:
    source.answer("/", Reply(body=BODY, cut=len(BODY) - 1))
    error = await failure(S3, {"operation": "put", "key": "broken", "url": source.url}, there)
    assert brief(error) == ("connection", "127.0.0.1: the answer broke off or is not HTTP", True)
    assert (uploads(client), exists(client, "broken")) == ([], False)


async def test_a_cancelled_upload_leaves_nothing(
    there: dict[str, object], client: Any, source: http.Server
) -> None:
    source.answer("/", Reply(body=BODY, headers={"content-length": str(10 * len(BODY))}))
    stage = asyncio.create_task(run(S3, {"operation": "put", "key": "cancelled", "url": source.url}, there))
    while not await asyncio.to_thread(uploads, client):
        assert not stage.done()
    stage.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stage
    assert (await asyncio.to_thread(uploads, client), exists(client, "cancelled")) == ([], False)


async def test_an_upload_that_takes_too_long_leaves_nothing(
    there: dict[str, object], client: Any, source: http.Server
) -> None:
    source.answer("/", Reply(body=BODY, headers={"content-length": str(10 * len(BODY))}))
    fields = {"operation": "put", "key": "slow", "url": source.url}
    error = await failure(S3, fields, there, timeout=timedelta(seconds=2))
    assert (error.code, error.retryable, uploads(client)) == ("timeout", True, [])


async def test_an_upload_that_is_cancelled_while_it_begins_is_given_up(there: dict[str, object]) -> None:
    came, may_answer = Event(), Event()

    def answer(request: Request) -> Reply:
        if request.method == "POST":
            came.set()
            may_answer.wait(10)
        return Reply(body=b"<I><UploadId>u1</UploadId></I>")

    with http.running(answer) as fake:
        fields = {"operation": "put", "key": "k", "base64": "AAAA" * (PART // 2)}
        stage = asyncio.create_task(run(S3, fields, {**there, "endpoint": fake.url}))
        await asyncio.to_thread(came.wait, 10)
        stage.cancel()
        may_answer.set()
        with pytest.raises(asyncio.CancelledError):
            await stage
        asked = [(each.method, each.target) for each in fake.requests]
    assert asked == [("POST", f"/{NAME}/k?uploads="), ("DELETE", f"/{NAME}/k?uploadId=u1")]


async def test_a_failure_to_give_up_does_not_hide_the_first_one(there: dict[str, object]) -> None:
    def answer(request: Request) -> Reply:
        is_begin = re.search("uploads=", request.target)
        return Reply(body=b"<I><UploadId>u1</UploadId></I>") if is_begin else Reply(status=500)

    with http.running(answer) as fake:
        fields = {"operation": "put", "key": "k", "base64": "AAAA" * (PART // 2)}
        error = await failure(S3, fields, {**there, "endpoint": fake.url})
    assert (error.code, error.message[:6], error.retryable) == ("s3.internal_error", "PUT up", True)


@pytest.mark.parametrize(
    ("reply", "code", "retryable"),
    [
        (Reply(status=404), "http.status", False),
        (Reply(status=503), "http.status", True),
        (http.redirect("http://169.254.169.254/latest"), "egress_denied", False),
    ],
)
async def test_a_source_that_has_nothing_is_an_error(
    there: dict[str, object], client: Any, source: http.Server, reply: Reply, code: str, retryable: bool
) -> None:
    source.answer("/", reply)
    error = await failure(S3, {"operation": "put", "key": "nothing", "url": source.url}, there)
    assert (error.code, error.retryable, exists(client, "nothing")) == (code, retryable, False)


async def test_what_is_too_large_is_given_up(
    there: dict[str, object], client: Any, source: http.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.stages.s3_upload.LARGEST", len(BODY) - 1)
    source.answer("/", Reply(body=BODY))
    error = await failure(S3, {"operation": "put", "key": "huge", "url": source.url}, there)
    assert (error.code, uploads(client), exists(client, "huge")) == ("validation", [], False)


async def test_memory_does_not_grow_with_the_object(there: dict[str, object]) -> None:
    piece = bytes(PART // 8)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(8 * 12):
            yield piece

    bucket = Bucket(S3Connection.model_validate(there), NAME, LOOPBACK, 3 * PATIENCE)
    tracemalloc.start()
    done = await upload(Upload(bucket, "endless", {}, {}, None), pieces())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (done.size, done.parts) == (12 * PART, 12)
    assert peak < 6 * PART


async def test_an_upload_of_a_source_that_fails_says_so(there: dict[str, object]) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield bytes(3 * PART)
        raise StageError("connection", "gone", retryable=True)

    bucket = Bucket(S3Connection.model_validate(there), NAME, LOOPBACK, PATIENCE)
    with pytest.raises(StageError, match="gone"):
        await upload(Upload(bucket, "k", {}, {}, None), pieces())
