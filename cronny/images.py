"""Names of container images, and the patterns that allow or forbid them.

Image.parse("alpine")                        # docker.io/library/alpine:latest
covers("ghcr.io/acme/*", Image.parse("ghcr.io/acme/report:3"))       # True
"""

import re
from dataclasses import dataclass
from functools import lru_cache

HUB = "docker.io"
LATEST = "latest"

# After https://github.com/distribution/reference/blob/main/regexp.go; none of them can take long.
_HOST = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9.-]*(?::[0-9]{1,5})?")
_PATH = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
LONGEST = 512  # characters


@dataclass(frozen=True)
class Image:
    """A name in full: nothing of it is left to be guessed by an Engine."""

    registry: str
    path: str
    tag: str  #: Empty when a digest says which content is meant.
    digest: str

    @classmethod
    def parse(cls, text: str) -> "Image":
        """The image that a text names; raises ValueError with a message for people."""
        registry, path, tag, digest = _parts(text[: LONGEST + 1])
        is_whole = len(text) <= LONGEST and not text.endswith((":", "@")) and ":@" not in text
        is_named = is_whole and _HOST.fullmatch(registry) and _PATH.fullmatch(path)
        if not is_named or (tag and not _TAG.fullmatch(tag)) or (digest and not _DIGEST.fullmatch(digest)):
            raise ValueError(
                f"'{text[:80]}' is not an image; write it like alpine:3.20 or ghcr.io/acme/report:3"
            )
        # With a digest, an Engine does not look at the tag: it must not count for a rule either.
        return cls(registry, path, "" if digest else tag or LATEST, digest)

    @property
    def repository(self) -> str:
        """The name without tag and digest."""
        return f"{self.registry}/{self.path}"

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"


def covers(pattern: str, image: Image) -> bool:
    """Whether the pattern means this image.

    `*` stands for anything but a slash, `**` for anything; either alone means every image. A pattern without
    a tag means every tag and every digest; one with a tag means no digest, whose content no tag tells.
    """
    registry, path, tag, digest = _parts(pattern)
    if not _is_any(pattern) and not _glob(f"{registry}/{path}").fullmatch(image.repository):
        return False
    if digest:
        return digest == image.digest
    return not tag or (not image.digest and _glob(tag).fullmatch(image.tag) is not None)


def may_be_of(pattern: str, registry: str) -> bool:
    """Whether the pattern may mean an image of this registry."""
    return _is_any(pattern) or _glob(registry_of(pattern)).fullmatch(registry) is not None


def registry_of(pattern: str) -> str:
    """The registry that a pattern names, itself a pattern."""
    return _parts(pattern)[0]


def _is_any(pattern: str) -> bool:
    return _parts(pattern)[:2] in ((HUB, "library/*"), (HUB, "library/**")) and not pattern.startswith(HUB)


def _parts(text: str) -> tuple[str, str, str, str]:
    """Registry, path, tag and digest of an image or of a pattern for images."""
    name, _, digest = text.partition("@")
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    name = f"{head}{slash}{last}"
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first in ("localhost", "**")):
        return first, rest, tag, digest
    return HUB, name if slash else f"library/{name}", tag, digest


@lru_cache(maxsize=1024)
def _glob(pattern: str) -> re.Pattern[str]:
    parts = (re.escape(part) for part in re.split(r"(\*\*|\*)", pattern))
    return re.compile("".join({r"\*\*": ".*", r"\*": "[^/]*"}.get(part, part) for part in parts))
