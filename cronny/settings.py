"""How an installation is configured: environment variables with the prefix `CRONNY_`, or arguments."""

import json
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cronny.docker import Docker, DockerRules
from cronny.egress_rules import Egress, EgressRules, Host
from cronny.errors import SettingsError
from cronny.sizes import format_size, parse_size

DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}


def _with_driver(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{DRIVERS.get(scheme, scheme)}{separator}{rest}"


def _listed(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _listed_if_any(value: object) -> object:
    """A setting that is empty says nothing, rather than that nothing is open."""
    return _listed(value) or None


def _parsed(value: object) -> object:
    return json.loads(value or "{}") if isinstance(value, str) else value


def _size(text: str) -> str:
    return format_size(parse_size(text))


def _default_database(values: dict[str, Any]) -> str:
    return f"sqlite+aiosqlite:///{values['data_dir'] / 'cronny.db'}"


def _if_given(value: object) -> object:
    """A setting that is empty is none."""
    return None if value == "" else value


GivenText = Annotated[str | None, BeforeValidator(_if_given)]
GivenSecret = Annotated[SecretStr | None, BeforeValidator(_if_given)]
Port = Annotated[int, Field(ge=1, le=65535)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_listed)]
Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
Hosts = Annotated[tuple[Host, ...] | None, NoDecode, BeforeValidator(_listed_if_any)]
TenantEgress = Annotated[Mapping[str, EgressRules], NoDecode, BeforeValidator(_parsed)]
TenantRules = Annotated[Mapping[str, DockerRules], NoDecode, BeforeValidator(_parsed)]


class Settings(BaseSettings):
    """The settings of one process; `cronny up` hands the same ones to each of its children."""

    model_config = SettingsConfigDict(env_prefix="CRONNY_", frozen=True, validate_default=True)

    # A clone (or any folder) is an installation of its own: two of them never share a database by accident,
    # and deleting the folder deletes everything.
    data_dir: Annotated[Path, AfterValidator(Path.absolute)] = Field(
        Path(".cronny"), description="Folder of the databases, the key file and the log; made on first use."
    )
    database_url: Annotated[str, AfterValidator(_with_driver)] = Field(
        default_factory=_default_database,
        description="`sqlite:///…` or `postgresql://…`; without one, a SQLite file in the data folder.",
    )
    temporal_address: str | None = Field(
        None, description="`host:port` of Temporal; without one, `cronny up` starts a development server."
    )
    temporal_namespace: str = Field("default", description="The namespace of Temporal to live in.")
    temporal_port: Port = Field(7233, description="Port of the development server.")
    temporal_ui_port: Port = Field(8233, description="Port of the development server's web UI.")
    api_host: str = Field("127.0.0.1", description="Address the API listens on.")
    api_port: Port = Field(8080, description="Port the API listens on.")
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s?#]+$",
        description="Where people and other programs reach the API, for links and webhooks; "
        "without one, its own address.",
    )
    secret_keys: SecretStr | None = Field(
        None,
        description="Sealing keys, `id:base64,…`, the newest first; else `<data_dir>/secret.key`.",
    )
    pool: str = Field("default", description="The pool whose tenants a worker serves.")
    metrics_host: str = Field("127.0.0.1", description="Address a worker shows its metrics on.")
    metrics_port: Port | None = Field(
        None,
        description="Port of a worker's metrics, at `/metrics` for Prometheus; without one, there is none.",
    )
    egress_allow: Networks = Field(
        (), description="Networks that stages may reach although they are not public, separated by commas."
    )
    egress_deny: Networks = Field(
        (), description="Networks that stages may not reach, whatever else is said, separated by commas."
    )
    egress_hosts: Hosts = Field(
        None, description="The only hosts that stages may reach, like `*.example.com`, separated by commas."
    )
    egress_tenants: TenantEgress = Field(
        {},
        description="Other rules for single tenants: "
        '`{"acme": {"allow": ["10.1.0.0/16"], "hosts": ["*.acme.example"]}}`.',
    )
    blobs: str | None = Field(
        None,
        pattern=r"^(file:///[^?#]*|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^?#]*)?)$",
        description="Where outputs above 256 KiB are kept: `file:///FOLDER`, which all workers and the API "
        "see, or `s3://BUCKET/PREFIX`; without it, the folder `blobs` in the data folder.",
    )
    blobs_endpoint: GivenText = Field(
        None, pattern=r"^https?://[^/?#@]+/?$", description="The address of the S3 service, if not Amazon's."
    )
    blobs_region: str = Field("us-east-1", description="The region of that bucket.")
    blobs_access_key_id: GivenText = Field(None, description="The id of the key for that bucket.")
    blobs_secret_access_key: GivenSecret = Field(None, description="The key for that bucket.")
    docker_host: str | None = Field(
        None,
        pattern=r"^(unix:///.+|tcp://[^/@]+:[0-9]+)$",
        description="`unix:///…` or `tcp://host:port` of the Docker Engine for `docker` stages; "
        "without one, there are none.",
    )
    docker_images: Texts = Field(
        (), description="Images that stages may use: patterns, separated by commas; `!` in front forbids."
    )
    docker_digests: bool = Field(False, description="Only images that are named with their digest.")
    docker_pull: bool = Field(True, description="Whether the Docker Engine may fetch images.")
    docker_networks: Texts = Field(
        (), description="Networks that containers may join besides `none`, separated by commas."
    )
    docker_memory: Annotated[str, AfterValidator(_size)] = Field(
        "1g", description="The most memory of a container."
    )
    docker_cpus: float = Field(2.0, gt=0, description="The most processors of a container.")
    docker_tenants: TenantRules = Field(
        {}, description='Other rules for single tenants: `{"acme": {"images": ["alpine:3.*"]}}`.'
    )
    log_format: Literal["text", "json"] = Field("text", description="`text` for people, `json` for programs.")

    @property
    def key_file(self) -> Path:
        """The file that holds the keys when `secret_keys` is not set; `cronny up` makes it."""
        return self.data_dir / "secret.key"

    @property
    def client_file(self) -> Path:
        """The file in which `cronny up` leaves the API's URL and key for the CLI."""
        return self.data_dir / "client.json"

    @property
    def egress(self) -> Egress:
        """What stages may connect to."""
        rules = EgressRules(allow=self.egress_allow, deny=self.egress_deny, hosts=self.egress_hosts)
        return Egress(rules, self.egress_tenants)

    @property
    def docker(self) -> Docker:
        """The Docker Engine and what tenants may do there."""
        rules = DockerRules(
            images=self.docker_images,
            digests=self.docker_digests,
            pull=self.docker_pull,
            networks=self.docker_networks,
            memory=parse_size(self.docker_memory),
            cpus=self.docker_cpus,
        )
        return Docker(self.docker_host, rules, self.docker_tenants)

    @property
    def temporal_target(self) -> str:
        """The address to connect to: the one given, else the development server's."""
        return self.temporal_address or f"127.0.0.1:{self.temporal_port}"

    @property
    def api_url(self) -> str:
        """Where the API is reached from this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.api_host, self.api_host)  # noqa: S104
        return f"http://{host}:{self.api_port}"

    @property
    def outside_url(self) -> str:
        """Where others reach the API, without a slash at the end."""
        return (self.public_url or self.api_url).rstrip("/")

    def secret_key_text(self) -> SecretStr:
        """The keys as text, from the setting or the key file."""
        if self.secret_keys is not None:
            return self.secret_keys
        try:
            return SecretStr(self.key_file.read_text().strip())
        except OSError as error:
            message = f"no secret keys: set CRONNY_SECRET_KEYS or let `cronny up` make {self.key_file}"
            raise SettingsError(message) from error
