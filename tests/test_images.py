import pytest

from cronny.docker import Docker, DockerRules
from cronny.images import Image, covers

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("alpine", "docker.io/library/alpine:latest"),
        ("alpine:3.20", "docker.io/library/alpine:3.20"),
        ("acme/report", "docker.io/acme/report:latest"),
        ("ghcr.io/acme/team/report:3", "ghcr.io/acme/team/report:3"),
        ("localhost/x", "localhost/x:latest"),
        ("registry:5000/x:1", "registry:5000/x:1"),
        (f"alpine@{DIGEST}", f"docker.io/library/alpine@{DIGEST}"),
        (f"alpine:3.20@{DIGEST}", f"docker.io/library/alpine@{DIGEST}"),
    ],
)
def test_an_image_is_named_in_full(text: str, name: str) -> None:
    assert str(Image.parse(text)) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Alpine",
        "alpine:",
        f"alpine:@{DIGEST}",
        "alpine:a b",
        "-alpine",
        "alpine/",
        "a//b",
        "../../etc",
        "alpine@sha256:12",
        "alpine@md5:" + "0" * 64,
        "https://ghcr.io/x",
        "alpine?x=1",
        "al pine",
        "ghcr.io/x/../y",
        "a" * 600,
        "alpine:" + "1" * 129,
        "x." * 300 + "/y" * 200,
    ],
)
def test_what_names_no_image_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an image"):
        Image.parse(text)


@pytest.mark.parametrize(
    ("pattern", "image", "is_covered"),
    [
        ("alpine", "alpine:3.20", True),
        ("alpine", f"alpine@{DIGEST}", True),
        ("alpine", "docker.io/library/alpine", True),
        ("alpine", "evil.example.com/library/alpine", False),
        ("alpine", "alpine2", False),
        ("alpine:3.*", "alpine:3.20", True),
        ("alpine:3.*", "alpine:latest", False),
        ("alpine:3.*", f"alpine:3.20@{DIGEST}", False),
        (f"alpine@{DIGEST}", f"alpine@{DIGEST}", True),
        (f"alpine@{DIGEST}", "alpine", False),
        ("ghcr.io/acme/*", "ghcr.io/acme/report:3", True),
        ("ghcr.io/acme/*", "ghcr.io/acme/team/report:3", False),
        ("ghcr.io/acme/**", "ghcr.io/acme/team/report:3", True),
        ("ghcr.io/acme/*", "ghcr.io/acme2/report", False),
        ("ghcr.io/acme/*", "ghcr.io.example.com/acme/report", False),
        ("*.example.com/*", "eu.example.com/report", True),
        ("acme/*", "docker.io/acme/report", True),
        ("acme/*", "ghcr.io/acme/report", False),
        ("registry:5000/*", "registry:5000/x", True),
        ("*", "anything.example.com/at/all", True),
        ("**", "alpine", True),
        ("*:latest", "ghcr.io/acme/report", True),
        ("*:latest", "ghcr.io/acme/report:3", False),
        ("docker.io/library/*", "alpine", True),
        ("docker.io/library/*", "ghcr.io/acme/report", False),
    ],
)
def test_a_pattern_covers(pattern: str, image: str, is_covered: bool) -> None:
    assert covers(pattern, Image.parse(image)) == is_covered


@pytest.mark.parametrize(
    ("rules", "image", "objection"),
    [
        ({}, "alpine", "the image docker.io/library/alpine:latest is not allowed here; those that are: none"),
        ({"images": ("ghcr.io/**", "alpine:3.*")}, "alpine:3.20", None),
        (
            {"images": ("alpine:3.*", "!**:latest")},
            "busybox:1",
            "the image docker.io/library/busybox:1 is not allowed here; those that are: alpine:3.*",
        ),
        (
            {"images": ("**", "!**:latest")},
            "alpine",
            "the image docker.io/library/alpine:latest is forbidden here, by '!**:latest'",
        ),
        ({"images": ("**",), "digests": True}, f"alpine@{DIGEST}", None),
        (
            {"images": ("**",), "digests": True},
            "alpine:3.20",
            "the image docker.io/library/alpine:3.20 needs a digest here; "
            "write it like docker.io/library/alpine@sha256:…",
        ),
        (
            {"images": ("**",)},
            "cronny-hold:1",
            "the image docker.io/library/cronny-hold:1 is kept for Cronny itself",
        ),
    ],
)
def test_the_rules_say_why_an_image_is_refused(
    rules: dict[str, object], image: str, objection: str | None
) -> None:
    assert DockerRules.model_validate(rules).objection(Image.parse(image)) == objection


@pytest.mark.parametrize("name", ["host", "container:x", "default", "bridge", ""])
def test_a_network_that_is_not_listed_is_closed_and_some_stay_so(name: str) -> None:
    rules = DockerRules(networks=("jobs", "host", "container:x", "default"))
    assert (rules.allows_network(name), rules.allows_network("jobs")) == (False, True)


def test_a_tenant_s_own_rules_come_before_those_of_the_installation() -> None:
    rules = DockerRules(images=("alpine",), digests=True)
    docker = Docker("unix:///x", rules, {"acme": DockerRules(images=("busybox",))})
    assert docker.rules_of("other") == rules
    assert docker.rules_of("acme") == DockerRules(images=("busybox",), digests=True)
