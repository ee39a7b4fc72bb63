"""What is to be run for one attempt: checked against the rules, and named so that it can be found again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from pydantic import JsonValue, SecretStr

from activities.stages.docker_fields import OUTPUT, Context, DockerWith
from activities.stages.kind import StageError
from cronny.docker import DockerRules
from cronny.images import Image
from cronny.sizes import format_size

MEMORY = 256 * 2**20  # bytes of a stage that does not say it
TMP = 64 * 2**20  # bytes of a stage that does not say it
OVERTIME = timedelta(minutes=1)  # beyond its timeout, after which nobody can still follow a container
LABEL = "io.cronny."


@dataclass(frozen=True)
class Plan:
    """A container as it will be asked for."""

    name: str
    labels: Mapping[str, str]
    image: Image
    fields: DockerWith
    env: Mapping[str, str] = field(repr=False)
    secrets: Mapping[str, bytes] = field(repr=False)  #: What is in files.
    memory: int  #: In bytes.
    tmp: int  #: In bytes.
    stdin: bytes | None = field(repr=False)

    @property
    def has_files(self) -> bool:
        """Whether something goes in or comes out as a file."""
        return bool(self.secrets) or self.fields.output_file


def planned(context: Context, rules: DockerRules) -> Plan:
    """The plan of a stage; raises StageError for what the rules forbid."""
    fields = context.with_
    image = Image.parse(fields.image)
    memory = fields.memory or min(MEMORY, rules.memory)
    _refuse(rules.objection(image))
    if not rules.allows_network(fields.network):
        _refuse(f"the network '{fields.network[:60]}' is not allowed here; leave it out, or ask the operator")
    if memory > rules.memory:
        _refuse(f"memory {format_size(memory)} is more than is allowed here: {format_size(rules.memory)}")
    if fields.cpus > rules.cpus and "cpus" in fields.model_fields_set:
        _refuse(f"cpus {fields.cpus:g} are more than are allowed here: {rules.cpus:g}")
    return Plan(
        name=name_of(context.idempotency_key, context.attempt),
        labels=_labels(context, datetime.now(UTC)),
        image=image,
        fields=fields.model_copy(update={"cpus": min(fields.cpus, rules.cpus)}),
        env=_environment(context),
        secrets={name: _secret(context, name).encode() for name in fields.secret_files},
        memory=memory,
        tmp=fields.tmp or min(TMP, memory),
        stdin=_bytes(fields.stdin),
    )


def name_of(key: str, attempt: int | str) -> str:
    """The name of an attempt's container: the same in whatever worker asks."""
    return f"cronny-{sha256(f'{key}#{attempt}'.encode()).hexdigest()[:32]}"


def deadline_of(labels: Mapping[str, str]) -> datetime | None:
    """When an attempt is to end, by the labels of its container."""
    try:
        return datetime.fromisoformat(labels[f"{LABEL}deadline"]) - OVERTIME
    except (LookupError, ValueError):
        return None


def _labels(context: Context, now: datetime) -> dict[str, str]:
    origin = context.origin
    deadline = now + context.timeout + OVERTIME
    labels = {
        "tenant": origin.tenant,
        "action": origin.action,
        "schedule": origin.schedule,
        "trigger": origin.trigger_id,
        "stage": origin.stage_id,
        "key": context.idempotency_key,
        "attempt": str(context.attempt),
        "deadline": deadline.isoformat(),
    }
    return {LABEL + name: value for name, value in labels.items()}


def _environment(context: Context) -> dict[str, str]:
    fields = context.with_
    plain = {name: _text(value) for name, value in fields.env.items()}
    secret = {name: _secret(context, of) for name, of in fields.secret_env.items()}
    if twice := plain.keys() & secret.keys():
        _refuse(f"the variable {min(twice)} is in env and in secret_env")
    own = {"CRONNY_IDEMPOTENCY_KEY": context.idempotency_key, "CRONNY_ATTEMPT": str(context.attempt)}
    if fields.output_file:
        own["CRONNY_OUTPUT"] = OUTPUT
    return {**plain, **secret, **own}


def _secret(context: Context, name: str) -> str:
    known: Mapping[str, SecretStr] = context.connection.secrets if context.connection else {}
    if name not in known:
        has = f"it has {', '.join(sorted(known))}" if known else "it has none"
        _refuse(f"the connection has no secret '{name}'; {has}" if context.connection else _NO_CONNECTION)
    return known[name].get_secret_value()


_NO_CONNECTION = "secrets come from a connection of kind docker; name one"


def _text(value: str | int | float | bool) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "\0" in text:
        _refuse("a variable of env has a NUL, which no program can be given")
    return text


def _bytes(value: JsonValue) -> bytes | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text.encode(errors="replace")


def _refuse(problem: str | None) -> None:
    if problem is not None:
        raise StageError("validation", problem, retryable=False)
