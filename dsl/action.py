"""The models of an action as a tenant writes it; `dsl.check` adds what a model alone cannot see."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StrictInt,
    StringConstraints,
    model_validator,
)

from dsl.durations import Duration
from dsl.problems import did_you_mean

ACTION_TIMEOUT = timedelta(hours=1)
STAGE_TIMEOUT = timedelta(minutes=5)
MIDDLE_PRIORITY = 3  # of Temporal's priority keys, and its default
LONGEST_DELAY = timedelta(minutes=5)  # of a retry, unless its first delay is longer
# How many of each an action may have; the plan and the ledger are read whole, so a graph stays small.
SIZES = {"labels": 50, "inputs": 100, "schedules": 50, "stages": 200, "connectors": 1000}

ERROR_CODES = frozenset(
    {
        "timeout",
        "connection",
        "dns",
        "tls",
        "egress_denied",
        "http.status",
        "auth",
        "rate_limited",
        "validation",
        "expression",
        "cancelled",
        "internal",
    }
)
ERROR_FAMILIES = ("sql", "code")  # their codes have open ends: sql.unique_violation

# CEL's own words and literals; an id that is one of them could not be written in an expression.
RESERVED_WORDS = frozenset(
    {
        "as",
        "break",
        "const",
        "continue",
        "else",
        "false",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "namespace",
        "null",
        "package",
        "return",
        "true",
        "var",
        "void",
        "while",
    }
)


def _not_reserved(word: str) -> str:
    if word in RESERVED_WORDS:
        raise ValueError(f"'{word}' is a reserved word of expressions; choose another name")
    return word


def _positive(duration: timedelta) -> timedelta:
    if duration <= timedelta():
        raise ValueError("must be longer than 0s")
    return duration


def _known_error(code: str) -> str:
    if code in ERROR_CODES or code.partition(".")[0] in ERROR_FAMILIES:
        return code
    known = f"the codes are {', '.join(sorted(ERROR_CODES))}, sql.* and code.*"
    raise ValueError(f"no error code '{code[:60]}'; {did_you_mean(code[:60], ERROR_CODES) or known}")


def _whole_number(value: object) -> object:
    if type(value) is not int:  # Python takes true and 1.0 for 1.
        raise ValueError("must be 1; it is the version of the language, a whole number")
    return value


def _condition(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _short_concurrency(value: object) -> object:
    return {"limit": value} if type(value) is int else value


def _no_retry(value: object) -> object:
    return {"max_attempts": 1} if value is False else value


Id = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$", strict=True), AfterValidator(_not_reserved)
]
Span = Annotated[Duration, AfterValidator(_positive)]
Text = Annotated[str, StringConstraints(max_length=10_000)]
Condition = Annotated[
    str,
    BeforeValidator(_condition),
    StringConstraints(min_length=1),
    Field(json_schema_extra={"x-cel": True}),
]
ErrorCode = Annotated[str, AfterValidator(_known_error)]
Proportion = Annotated[float, Field(strict=True, ge=0, le=1)]
InputType = Literal["string", "integer", "number", "boolean", "array", "object", "datetime"]


class Part(BaseModel):
    """A part of an action: frozen, and no field that is not listed."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)


class InputItem(Part):
    """What a value must look like."""

    type: InputType = Field("string", description="The type of the value.")
    enum: tuple[JsonValue, ...] | None = Field(None, min_length=1, description="The only values allowed.")
    pattern: str | None = Field(None, description="A regular expression that a string must match whole.")
    items: "InputItem | None" = Field(None, description="What each item of an array must look like.")
    description: Text = ""


class Input(InputItem):
    """A value that a trigger is given; without a default, and not required, it is null when left out."""

    required: StrictBool = False
    default: JsonValue = None


class Retry(Part):
    """When and how often a failed stage is tried again; `retry: false` means one attempt."""

    max_attempts: StrictInt = Field(3, ge=1, le=100, description="Attempts in all, the first one included.")
    delay: Duration = Field(timedelta(seconds=1), description="Before the second attempt.")
    backoff: Annotated[float, Field(strict=True, ge=1, le=10)] = Field(
        2.0, description="The delay grows by this factor with each attempt."
    )
    max_delay: Duration = Field(LONGEST_DELAY, description="The longest delay; at least `delay`.")
    jitter: Proportion = Field(0.1, description="How much of a delay is left to chance, from 0 to 1.")
    on: tuple[ErrorCode, ...] | None = Field(
        None, description="The errors to retry; by default all that can be."
    )
    unless: Condition | None = Field(None, description="No further attempt if this is true; sees `error`.")

    @model_validator(mode="after")
    def _fit_delays(self) -> "Retry":
        if self.max_delay >= self.delay:
            return self
        if "max_delay" in self.model_fields_set:
            raise ValueError("max_delay is shorter than delay; raise it, or leave it out")
        object.__setattr__(self, "max_delay", self.delay)  # The model is frozen for everybody else.
        return self

    def covers(self, code: str) -> bool:
        """Whether `on` lets an error with this code be retried."""
        return self.on is None or code in self.on or f"{code.partition('.')[0]}.*" in self.on


RetryPolicy = Annotated[Retry, BeforeValidator(_no_retry)]


class Defaults(Part):
    """What stages take that do not say it themselves."""

    retry: RetryPolicy | None = None
    timeout: Span | None = None


class Stage(Part):
    """One stage; `with` still holds its `${{ }}` texts."""

    id: Id
    name: Text = ""
    uses: str = Field(description="The kind of the stage.")
    connection: str | None = Field(None, min_length=1, description="The name of a connection of the tenant.")
    with_: dict[str, JsonValue] = Field(default_factory=dict, alias="with")
    when: Condition | None = Field(None, description="The stage is skipped if this is false.")
    retry: RetryPolicy | None = Field(None, description="One attempt only, unless given.")
    timeout: Span = Field(STAGE_TIMEOUT, description="Of one attempt.")
    total_timeout: Span | None = Field(None, description="Of all attempts together, with their delays.")
    continue_on_error: StrictBool = Field(False, description="A failure of this stage fails nothing else.")
    join: Literal["any", "all"] = Field("any", description="How many incoming connectors must fire.")
    output: JsonValue = Field(None, description="What to keep instead of the whole output; sees `output`.")
    sensitive: StrictBool = Field(False, description="Neither input nor output is shown to people.")
    disabled: StrictBool = Field(False, description="The stage is always skipped.")


class Concurrency(Part):
    """How many triggers of an action execute at once; a whole number alone is the limit."""

    limit: StrictInt = Field(ge=1, le=1000, description="Triggers that execute at once at the most.")
    key: Annotated[str, StringConstraints(min_length=1, max_length=1000, strict=True)] | None = Field(
        None, description="Counted apart for each value of this text, such as `${{ inputs.region }}`."
    )
    on_limit: Literal["queue", "skip", "cancel_running"] = Field(
        "queue", description="What becomes of a trigger that finds no place."
    )


class Connector(Part):
    """An edge between two stages."""

    from_: Id = Field(alias="from")
    to: Id
    on: Literal["success", "error", "always", "skipped"] = "success"
    when: Condition | None = Field(None, description="The connector fires only if this is true.")
    map: dict[str, JsonValue] = Field(default_factory=dict, description="What the stage sees as `input`.")
    label: Text = ""


class Action(Part):
    """A named graph of stages; `schedule` and `schedules` stay as written, `dsl.schedule` reads them."""

    version: Annotated[Literal[1], BeforeValidator(_whole_number)] = 1
    name: Id
    description: Text = ""
    labels: dict[str, str] = Field(default_factory=dict, max_length=SIZES["labels"])
    inputs: dict[Id, Input] = Field(default_factory=dict, max_length=SIZES["inputs"])
    schedule: JsonValue = Field(None, description="A text like `every day at 09:00`, or its fields.")
    schedules: tuple[dict[str, JsonValue], ...] = Field(
        (), max_length=SIZES["schedules"], description="Each with an `id`."
    )
    defaults: Defaults = Defaults()
    timeout: Span = Field(ACTION_TIMEOUT, description="Of the whole trigger.")
    concurrency: Annotated[Concurrency, BeforeValidator(_short_concurrency)] | None = Field(
        None, description="How many triggers of the action execute at once."
    )
    priority: StrictInt = Field(
        MIDDLE_PRIORITY, ge=1, le=5, description="Among what waits for a worker: 1 goes first, 5 last."
    )
    stages: tuple[Stage, ...] = Field(min_length=1, max_length=SIZES["stages"])
    connectors: tuple[Connector, ...] | None = Field(
        None, max_length=SIZES["connectors"], description="Without them the stages run from top to bottom."
    )
    outputs: dict[Id, JsonValue] = Field(default_factory=dict, description="What the trigger gives back.")

    @model_validator(mode="after")
    def fill_defaults(self) -> "Action":
        """The action with its defaults written into the stages, so that no reader needs to look them up."""
        filled = tuple(_with_defaults(stage, self.defaults) for stage in self.stages)
        object.__setattr__(self, "stages", filled)  # The model is frozen for everybody else.
        return self


def _with_defaults(stage: Stage, defaults: Defaults) -> Stage:
    given = defaults.model_dump(exclude_none=True).keys() - stage.model_fields_set
    return stage.model_copy(update={name: getattr(defaults, name) for name in given}) if given else stage
