"""A registry of images on loopback that holds one image and asks for a password.

with running() as registry:
    f"{registry.host}/acme/report:1"                 # fetched with USER and PASSWORD
API: https://distribution.github.io/distribution/spec/api/
"""

import gzip
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

from tests.servers import http
from tests.servers.docker import programs
from tests.servers.http import Reply, Request, Server

USER, PASSWORD = "reader", "s3cret-of-the-registry"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@dataclass(frozen=True)
class Registry:
    """Where the registry is, and what it was asked."""

    server: Server

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server.port}"


@contextmanager
def running() -> Iterator[Registry]:
    """A registry that answers."""
    content = _content()
    expected = f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"

    def reply(request: Request) -> Reply:
        if request.headers.get("authorization") != expected:
            return Reply(401, b"{}", {"www-authenticate": 'Basic realm="tests"'})
        kind, found = content.get(request.path, ("", None))
        if found is None:
            return Reply(404, b"{}")
        return Reply(200, found, {"content-type": kind, "docker-content-digest": _digest(found)})

    with http.running(reply) as server:
        yield Registry(server)


def _content() -> Mapping[str, tuple[str, bytes]]:
    """What is found under each path."""
    files = programs()
    layer = gzip.compress(files, 1)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Env": ["PATH=/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(files)]},
        }
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _described(CONFIG, config),
            "layers": [_described(LAYER, layer)],
        }
    ).encode()
    image = "/v2/acme/report"
    blobs = {f"{image}/blobs/{_digest(each)}": ("application/octet-stream", each) for each in (config, layer)}
    manifests = dict.fromkeys(
        (f"{image}/manifests/1", f"{image}/manifests/{_digest(manifest)}"), (MANIFEST, manifest)
    )
    return {"/v2/": ("application/json", b"{}"), **blobs, **manifests}


def _described(kind: str, content: bytes) -> dict[str, object]:
    return {"mediaType": kind, "size": len(content), "digest": _digest(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"
