"""What a `docker` stage is told: the `with:` block, and the connection."""

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, JsonValue, SecretStr, StringConstraints, model_validator

from activities.stages.kind import Block, StageContext
from cronny.images import Image
from cronny.sizes import Size

OUTPUT = "/cronny/output"  # where a program leaves the output of its stage
SECRETS = "/run/secrets"  # where secret files are, as in Compose and Swarm

ExitCode: TypeAlias = Annotated[int, Field(ge=0, le=255)]
Scalar: TypeAlias = str | int | float | bool


def _image(text: str) -> str:
    Image.parse(text)
    return text


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("has a NUL, which no program can be given")
    return text


Word = Annotated[str, AfterValidator(_without_nul)]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,254}$")]
SecretName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,62}$")]


class DockerWith(Block):
    """The `with:` block of `docker`."""

    image: Annotated[str, AfterValidator(_image)] = Field(
        description="The image, such as `alpine:3.20` or `ghcr.io/acme/report@sha256:…`; "
        "the operator says which are allowed."
    )
    command: list[Word] | None = Field(
        None, description="The words of the command, in place of the image's; no shell reads them."
    )
    entrypoint: list[Word] | None = Field(None, description="In place of the image's entrypoint.")
    env: dict[Variable, Scalar] = Field({}, description="Environment variables.")
    secret_env: dict[Variable, SecretName] = Field(
        {}, description="Environment variables that hold secrets of the connection, by their names there."
    )
    secret_files: list[SecretName] = Field(
        [], description=f"Secrets of the connection to find in files, as `{SECRETS}/<name>`."
    )
    stdin: JsonValue = Field(
        None, description="The standard input: a text as it is, any other value as JSON."
    )
    working_dir: Annotated[str, StringConstraints(pattern=r"^/[^\x00]*$")] | None = Field(
        None, description="The folder to start in, in place of the image's."
    )
    user: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)?$")] | None = Field(
        None, description="`user` or `user:group`, names or numbers, in place of the image's."
    )
    memory: Size | None = Field(
        None, description="The most memory, files in `/tmp` included, such as `512m`; `256m` if left out."
    )
    cpus: float = Field(1.0, ge=0.01, le=1024, description="The most processors, such as `0.5`.")
    pids: int = Field(128, ge=1, le=4096, description="The most processes and threads.")
    tmp: Size | None = Field(
        None, description="The size of `/tmp`, the only folder for files; `64m` if left out."
    )
    network: str = Field(
        "none",
        description="`none`, or a network that the operator allows; the egress guard does not reach it.",
    )
    pull: Literal["missing", "always", "never"] = Field(
        "missing", description="When the Engine fetches the image from its registry."
    )
    expect_exit: ExitCode | Annotated[list[ExitCode], Field(min_length=1)] = Field(
        0, description="The exit code, or a list of those, that is no failure."
    )
    stdout: Literal["log", "text", "json"] = Field(
        "log", description="`text` or `json`: keep the standard output as `stdout`, besides logging it."
    )
    output_file: bool = Field(
        False, description=f"Take the output from `{OUTPUT}`, or `$CRONNY_OUTPUT`: JSON, or else a text."
    )
    max_bytes: int = Field(
        1_000_000, ge=0, le=16_000_000, description="Limit of the output file, and of the standard output."
    )

    @property
    def expected_exits(self) -> frozenset[int]:
        """The exit codes that are no failure."""
        return frozenset(self.expect_exit if isinstance(self.expect_exit, list) else [self.expect_exit])


class DockerConnection(Block):
    """A registry and the credentials for it, which are sent to no other; and secrets for containers."""

    registry: str = Field("docker.io", description="The registry's name, as images have it in front.")
    username: str | None = Field(None, description="Whom to log in as at the registry.")
    password: SecretStr | None = Field(None, description="The password or token for the registry.")
    secrets: dict[SecretName, SecretStr] = Field(
        {}, description="Secrets that stages may hand to containers, by name."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> "DockerConnection":
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together")
        return self


Context: TypeAlias = StageContext[DockerWith, DockerConnection | None]
