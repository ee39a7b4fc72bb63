"""What every place for large values does: a folder, and a bucket of a real S3 server."""

import os
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from activities.blobs.bucket import InBucket
from activities.blobs.opening import ANYWHERE, open_blobs
from activities.stages.s3_bucket import Bucket, S3Connection
from cronny.blobs import PIECE, BlobStore, Folder, Lost, Nowhere, Place, read_whole
from cronny.errors import SettingsError, Unavailable
from cronny.settings import Settings
from tests.servers import s3
from tests.servers.ports import free_port

HERE = Place("ten_1", "blb_01abc")
SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7]


@pytest.fixture(scope="module")
def server() -> Iterator[s3.Server]:
    with s3.running() as server:
        server.client().create_bucket(Bucket="large")
        yield server


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param == "folder":
        return Folder(tmp_path / "blobs")
    server: s3.Server = request.getfixturevalue("server")
    return InBucket(_bucket(server.endpoint), f"{tmp_path.name}/")


def _bucket(endpoint: str, secret: str = s3.SECRET) -> Bucket:
    connection = S3Connection.model_validate({
        "endpoint": endpoint, "region": s3.REGION, "access_key_id": s3.KEY_ID, "secret_access_key": secret,
    })  # fmt: skip
    return Bucket(connection, "large", ANYWHERE, timedelta(seconds=20))


@pytest.mark.parametrize("size", SIZES)
async def test_a_value_comes_back_in_pieces(store: BlobStore, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    await store.write(HERE, content)
    pieces = [piece async for piece in store.read(HERE, size)]
    assert b"".join(pieces) == content
    assert max(map(len, pieces), default=0) <= PIECE


async def test_writing_again_changes_nothing(store: BlobStore) -> None:
    await store.write(HERE, b"one")
    await store.write(HERE, b"one")
    assert await read_whole(store, HERE, 3) == b"one"


async def test_what_is_not_there_is_lost(store: BlobStore) -> None:
    with pytest.raises(Lost):
        await read_whole(store, HERE, 3)


async def test_what_has_another_size_is_lost(store: BlobStore) -> None:
    await store.write(HERE, b"one")
    with pytest.raises(Lost):
        await read_whole(store, HERE, 4)


async def test_what_was_deleted_is_gone_and_may_be_deleted_again(store: BlobStore) -> None:
    await store.write(HERE, b"one")
    await store.delete(HERE)
    await store.delete(HERE)
    with pytest.raises(Lost):
        await read_whole(store, HERE, 3)


async def test_tenants_have_places_of_their_own(store: BlobStore) -> None:
    await store.write(HERE, b"one")
    with pytest.raises(Lost):
        await read_whole(store, Place("ten_2", HERE.blob_id), 3)


async def test_a_folder_is_for_its_user_only_and_has_no_remains(tmp_path: Path) -> None:
    store = Folder(tmp_path / "blobs")
    await store.write(HERE, b"one")
    path = tmp_path / "blobs" / HERE.key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(one.stat().st_mode) for one in path.parents[:3]} == {0o700}
    assert list(path.parent.iterdir()) == [path]


async def test_a_folder_that_cannot_be_written_is_away(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("no folder")
    with pytest.raises(Unavailable, match="folder of large values: File exists"):
        await Folder(tmp_path / "blobs").write(HERE, b"one")
    assert os.listdir(tmp_path) == ["blobs"]


async def test_a_bucket_that_does_not_answer_is_away() -> None:
    store = InBucket(_bucket(f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(Unavailable, match="bucket of large values"):
        await store.write(HERE, b"one")
    with pytest.raises(Unavailable):
        await read_whole(store, HERE, 3)


async def test_a_bucket_that_refuses_is_away_and_not_empty(server: s3.Server) -> None:
    store = InBucket(_bucket(server.endpoint, "wrong"))
    with pytest.raises(Unavailable):
        await read_whole(store, HERE, 3)


async def test_nowhere_says_so() -> None:
    with pytest.raises(Unavailable, match="no place"):
        await Nowhere().write(HERE, b"")
    with pytest.raises(Unavailable, match="no place"):
        await Nowhere().delete(HERE)
    with pytest.raises(Lost, match="no place"):
        await read_whole(Nowhere(), HERE, 3)


def test_without_a_setting_the_folder_is_in_the_data_folder(tmp_path: Path) -> None:
    assert open_blobs(Settings(data_dir=tmp_path)) == Folder(tmp_path / "blobs")


def test_a_folder_is_named_by_its_url() -> None:
    assert open_blobs(Settings(blobs="file:///srv/large")) == Folder(Path("/srv/large"))


def test_a_bucket_is_named_by_its_url() -> None:
    settings = Settings.model_validate({
        "blobs": "s3://large/of/cronny/", "blobs_endpoint": "http://s3.internal:9000",
        "blobs_access_key_id": "id", "blobs_secret_access_key": "key",
    })  # fmt: skip
    store = open_blobs(settings)
    assert isinstance(store, InBucket)
    assert (store.bucket.name, store.prefix) == ("large", "of/cronny/")


def test_a_bucket_without_a_key_is_refused() -> None:
    with pytest.raises(SettingsError, match="CRONNY_BLOBS_SECRET_ACCESS_KEY"):
        open_blobs(Settings(blobs="s3://large"))


@pytest.mark.parametrize(
    "url", ["large", "http://large", "s3://", "s3://UP", "file://host/x", "s3://a/b?c=d"]
)
def test_what_names_no_place_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="blobs"):
        Settings(blobs=url)
