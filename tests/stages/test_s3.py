from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import JsonValue, ValidationError

from activities.stages.s3 import S3
from activities.stages.s3_with import S3With
from tests.servers import s3
from tests.stages.contexts import details, failure, run

Connection = dict[str, object]


@pytest.fixture(scope="module")
def server() -> Iterator[s3.Server]:
    with s3.running() as server:
        s3.add_stranger(server)
        yield server


@pytest.fixture(scope="module")
def client(server: s3.Server) -> Any:
    return server.client()


@pytest.fixture
def bucket(server: s3.Server, client: Any, request: pytest.FixtureRequest) -> Connection:
    """A connection to an empty bucket."""
    name = f"bucket-{abs(hash(request.node.name))}"
    client.create_bucket(Bucket=name)
    return {**server.settings, "bucket": name}


async def does(at: Connection, operation: str, **fields: object) -> Any:
    return await run(S3, {"operation": operation, **fields}, at)


async def _fetch(method: str, signed: Any, content: bytes = b"") -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.request(method, signed["url"], headers=signed["headers"], content=content)


async def fails(at: Connection, operation: str, **fields: object) -> Any:
    return await failure(S3, {"operation": operation, **fields}, at)


KEYS = ["a", "folder/ä b+c%20.txt", "x" * 200, "a&b=c?d#e", "(1) [2] {3}~!*'\"", "日本/語"]


@pytest.mark.parametrize("key", KEYS)
async def test_an_object_of_any_name_comes_back(bucket: Connection, client: Any, key: str) -> None:
    put = await does(bucket, "put", key=key, text="hällo")
    got = await does(bucket, "get", key=key)
    assert (put["size"], put["parts"], put["etag"]) == (6, 1, got["etag"])
    assert (got["body"], got["size"], got["content_type"]) == ("hällo", 6, "text/plain; charset=utf-8")
    assert client.get_object(Bucket=bucket["bucket"], Key=key)["Body"].read() == "hällo".encode()
    assert [item["key"] for item in (await does(bucket, "list"))["objects"]] == [key]


@pytest.mark.parametrize(
    ("content", "as_", "body"),
    [
        ({"text": "{}"}, "json", {}),
        ({"text": ""}, "text", ""),
        ({"text": "ä"}, "base64", "w6Q="),
        ({"json": {"a": [1, "ä"]}}, "auto", {"a": [1, "ä"]}),
        ({"json": None}, "text", "null"),
        ({"base64": "/wA="}, "auto", {"base64": "/wA="}),
        ({"base64": "YWI="}, "text", "ab"),
        ({"text": "[1]", "content_type": "application/json"}, "auto", [1]),
    ],
)
async def test_contents_are_given_as_asked(
    bucket: Connection, content: dict[str, object], as_: str, body: JsonValue
) -> None:
    await does(bucket, "put", key="k", **content)
    assert (await does(bucket, "get", key="k", **{"as": as_}))["body"] == body


async def test_type_and_metadata_are_kept(bucket: Connection) -> None:
    metadata = {"Made-By": "cronny  of old", "n": "1"}
    await does(bucket, "put", key="k", text="x", content_type="text/csv", metadata=metadata)
    head = await does(bucket, "head", key="k")
    assert head["metadata"] == {"made-by": "cronny  of old", "n": "1"}
    assert (head["exists"], head["content_type"], head["size"]) == (True, "text/csv", 1)
    assert head["last_modified"].endswith("+00:00")


async def test_whether_an_object_exists_can_be_asked(bucket: Connection) -> None:
    assert await does(bucket, "head", key="none") == {"exists": False}
    error = await fails(bucket, "head", key="none", bucket="no-such-bucket")
    assert (error.code, error.retryable) == ("s3.no_such_bucket", False)


async def test_an_object_is_not_overwritten_unasked(bucket: Connection) -> None:
    await does(bucket, "put", key="k", text="first", overwrite=False)
    error = await fails(bucket, "put", key="k", text="second", overwrite=False)
    assert (error.code, error.retryable) == ("s3.precondition_failed", False)
    assert (await does(bucket, "get", key="k"))["body"] == "first"


@pytest.mark.parametrize("checksum", ["crc32", "sha256"])
async def test_checksums_are_kept_and_compared(bucket: Connection, client: Any, checksum: str) -> None:
    await does(bucket, "put", key="k", text="x" * 1000, checksum=checksum)
    assert (await does(bucket, "get", key="k", checksum=checksum))["size"] == 1000
    kept = client.head_object(Bucket=bucket["bucket"], Key="k", ChecksumMode="ENABLED")
    assert f"Checksum{checksum.upper()}" in kept


async def test_an_object_without_a_checksum_cannot_be_compared(bucket: Connection) -> None:
    await does(bucket, "put", key="k", text="x", checksum="crc32")
    error = await fails(bucket, "get", key="k", checksum="sha256")
    assert (error.code, error.retryable) == ("validation", False)


async def test_contents_have_a_limit(bucket: Connection) -> None:
    await does(bucket, "put", key="k", text="x" * 1001)
    error = await fails(bucket, "get", key="k", max_bytes=1000)
    assert (error.code, error.message) == ("validation", "the response is larger than 1000 bytes")


@pytest.mark.parametrize("as_", ["text", "json"])
async def test_a_content_that_is_something_else_is_an_error(bucket: Connection, as_: str) -> None:
    await does(bucket, "put", key="k", base64="/wA=")
    error = await fails(bucket, "get", key="k", **{"as": as_})
    assert (error.code, error.message[:20]) == ("validation", f"the content is not {as_}"[:20])


@pytest.fixture
async def listed(bucket: Connection) -> Connection:
    for key in ("a/1", "a/2", "b/1", "c", "d"):
        await does(bucket, "put", key=key, text=key)
    return bucket


async def test_objects_are_listed_by_prefix(listed: Connection) -> None:
    output = await does(listed, "list", prefix="a/")
    assert [(item["key"], item["size"]) for item in output["objects"]] == [("a/1", 3), ("a/2", 3)]
    assert (output["prefixes"], output["next"]) == ([], None)


async def test_objects_are_grouped_at_a_delimiter(listed: Connection) -> None:
    output = await does(listed, "list", delimiter="/")
    assert [item["key"] for item in output["objects"]] == ["c", "d"]
    assert output["prefixes"] == ["a/", "b/"]


async def test_a_list_continues_where_the_one_before_ended(listed: Connection) -> None:
    first = await does(listed, "list", limit=2)
    second = await does(listed, "list", limit=2, continue_from=first["next"])
    third = await does(listed, "list", limit=2, continue_from=second["next"])
    keys = [[item["key"] for item in page["objects"]] for page in (first, second, third)]
    assert keys == [["a/1", "a/2"], ["b/1", "c"], ["d"]]
    assert third["next"] is None


async def test_a_list_is_read_page_by_page(listed: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.stages.s3_operations.PAGE", 2)
    output = await does(listed, "list", limit=4)
    assert [item["key"] for item in output["objects"]] == ["a/1", "a/2", "b/1", "c"]
    assert output["next"]


async def test_an_object_is_copied(bucket: Connection, client: Any) -> None:
    await does(bucket, "put", key="a ä+b", text="x", metadata={"n": "1"})
    client.create_bucket(Bucket="copies")
    await does(bucket, "copy", key="new", bucket="copies", from_key="a ä+b", from_bucket=bucket["bucket"])
    copied = await does(bucket, "head", key="new", bucket="copies")
    assert (copied["metadata"], copied["size"]) == ({"n": "1"}, 1)


async def test_a_copy_can_have_another_type_and_metadata(bucket: Connection) -> None:
    await does(bucket, "put", key="old", text="x", metadata={"n": "1"})
    await does(bucket, "copy", key="new", from_key="old", content_type="text/csv", metadata={"m": "2"})
    copied = await does(bucket, "head", key="new")
    assert (copied["metadata"], copied["content_type"]) == ({"m": "2"}, "text/csv")


async def test_objects_are_deleted(listed: Connection) -> None:
    assert await does(listed, "delete", key="c") == {"deleted": ["c"]}
    assert await does(listed, "delete", keys=["a/1", "a/1", "<none>&\n", "d"]) == {
        "deleted": ["a/1", "<none>&\n", "d"]
    }
    assert await does(listed, "delete", keys=[]) == {"deleted": []}
    assert [item["key"] for item in (await does(listed, "list"))["objects"]] == ["a/2", "b/1"]


@pytest.mark.parametrize(
    ("change", "fields", "code", "their"),
    [
        ({}, {"operation": "get", "key": "none"}, "s3.no_such_key", "NoSuchKey"),
        ({}, {"operation": "copy", "key": "a", "from_key": "none"}, "s3.no_such_key", "NoSuchKey"),
        ({"bucket": "no-such-bucket"}, {"operation": "list"}, "s3.no_such_bucket", "NoSuchBucket"),
        ({"secret_access_key": "wrong"}, {"operation": "list"}, "auth", "SignatureDoesNotMatch"),
        ({"access_key_id": "nobody"}, {"operation": "list"}, "auth", "InvalidAccessKeyId"),
        (s3.STRANGER, {"operation": "list"}, "auth", "AccessDenied"),
        (s3.STRANGER, {"operation": "put", "key": "k", "text": "x"}, "auth", "AccessDenied"),
        (s3.STRANGER, {"operation": "head", "key": "k"}, "auth", "AccessDenied"),
    ],
)
async def test_errors_are_typed(
    bucket: Connection, change: Connection, fields: dict[str, object], code: str, their: str
) -> None:
    error = await failure(S3, fields, {**bucket, **change})
    assert (error.code, error.retryable, details(error)["error"]) == (code, False, their)
    assert s3.SECRET not in f"{error.message} {error.details}"


async def test_a_bucket_must_be_named(server: s3.Server) -> None:
    error = await fails(server.settings, "list")
    assert (error.code, error.message) == ("validation", "no bucket: name one here or in the connection")


async def test_a_presigned_address_gives_the_object(bucket: Connection) -> None:
    log: list[str] = []
    await does(bucket, "put", key="a ä", text="hello")
    signed = await run(S3, {"operation": "presign", "key": "a ä", "life": "1m"}, bucket, log=log)
    assert (signed["method"], signed["life"]) == ("GET", "1m")
    assert (await _fetch("GET", signed)).text == "hello"
    assert signed["url"] not in "".join(log)


async def test_a_presigned_address_takes_the_object(bucket: Connection) -> None:
    signed = await does(bucket, "presign", key="k", method="PUT", content_type="text/csv")
    assert signed["headers"] == {"content-type": "text/csv"}
    assert (await _fetch("PUT", signed, b"a,b")).status_code == 200
    assert (await does(bucket, "get", key="k"))["content_type"] == "text/csv"


async def test_a_presigned_address_is_for_one_thing(bucket: Connection) -> None:
    signed = await does(bucket, "presign", key="k")
    assert (await _fetch("PUT", signed, b"x")).status_code == 403
    other = {**signed, "url": signed["url"].replace("/k?", "/other?")}
    assert (await _fetch("GET", other)).status_code == 403


async def test_an_address_would_give_a_session_token_away(bucket: Connection) -> None:
    error = await fails({**bucket, "session_token": "t0ken"}, "presign", key="k")
    assert (error.code, "session token" in error.message) == ("validation", True)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"operation": "get"}, "get needs 'key'"),
        ({"operation": "get", "key": "k", "prefix": "x"}, "get takes no 'prefix'"),
        ({"operation": "get", "key": "k", "json": 1}, "get takes no 'json'"),
        ({"operation": "list", "key": "k"}, "list takes no 'key'"),
        ({"operation": "copy", "key": "k"}, "copy needs 'from_key'"),
        ({"operation": "delete"}, "delete needs either"),
        ({"operation": "delete", "key": "k", "keys": []}, "delete needs either"),
        ({"operation": "delete", "keys": ["k"] * 1001}, "at most 1000"),
        ({"operation": "put", "key": "k"}, "put needs one of"),
        ({"operation": "put", "key": "k", "text": "", "json": 1}, "put needs one of"),
        ({"operation": "put", "key": "k", "text": "", "kms_key": "x"}, "kms_key goes with"),
        ({"operation": "put", "key": "k", "text": "", "metadata": {"a b": ""}}, "cannot be a name"),
        ({"operation": "put", "key": "k", "text": "", "metadata": {"a": "x\r\ny: z"}}, "plain ASCII"),
        ({"operation": "put", "key": "k", "text": "", "content_type": "ä"}, "plain ASCII"),
        ({"operation": "presign", "key": "k", "content_type": "a/b"}, "goes with method: PUT"),
        ({"operation": "presign", "key": "k", "life": "8d"}, "life is from 1s to 7d"),
        ({"operation": "presign", "key": "k", "life": "10ms"}, "life is from 1s to 7d"),
        ({"operation": "get", "key": ""}, "1 to 1024 bytes"),
        ({"operation": "get", "key": "ä" * 513}, "1 to 1024 bytes"),
        ({"operation": "get", "key": "\ud800"}, "UTF-8"),
        ({"operation": "get", "key": "a/../b"}, "no parts '.' or '..'"),
        ({"operation": "list", "bucket": "a/b"}, "pattern"),
        ({"operation": "list", "bucket": "evil.example.com?"}, "pattern"),
        ({"operation": "list", "limit": 10_001}, "less than or equal to 10000"),
    ],
)
def test_fields_that_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        S3With.model_validate(fields)
