"""From the settings of an installation to the store of its large values."""

from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from activities.blobs.bucket import TIMEOUT, InBucket
from activities.stages.s3_bucket import Bucket, S3Connection
from cronny.blobs import BlobStore, Folder
from cronny.egress import EgressPolicy
from cronny.errors import SettingsError
from cronny.settings import Settings

# The operator's own choice, unlike what tenants name; where clouds give out credentials stays closed.
ANYWHERE = EgressPolicy(allow=(ip_network("0.0.0.0/0"), ip_network("::/0")))


def open_blobs(settings: Settings) -> BlobStore:
    """The store; raises SettingsError. It is not asked whether it is there."""
    if settings.blobs is None:
        return Folder(settings.data_dir / "blobs")
    url = urlsplit(settings.blobs)
    if url.scheme == "file":
        return Folder(Path(url.path))
    key_id, secret = settings.blobs_access_key_id, settings.blobs_secret_access_key
    if key_id is None or secret is None:
        what = "a bucket needs CRONNY_BLOBS_ACCESS_KEY_ID and CRONNY_BLOBS_SECRET_ACCESS_KEY"
        raise SettingsError(f"CRONNY_BLOBS is {settings.blobs}: {what}")
    connection = S3Connection(
        endpoint=settings.blobs_endpoint,
        region=settings.blobs_region,
        access_key_id=key_id,
        secret_access_key=secret,
    )
    prefix = url.path.strip("/")
    return InBucket(Bucket(connection, url.netloc, ANYWHERE, TIMEOUT), f"{prefix}/" if prefix else "")
