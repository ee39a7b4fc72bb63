"""The models of an action as a tenant writes it; `dsl.check` adds what a model alone cannot see."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AllowInfNan,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StrictFloat,
    StrictInt,
    StringConstraints,
    model_validator,
)

from dsl.durations import Duration
from dsl.problems import did_you_mean
from dsl.waiting import LONGEST_WAIT, WAITING_KINDS, default_patience

ACTION_TIMEOUT = timedelta(hours=1)
STAGE_TIMEOUT = timedelta(minutes=5)
MIDDLE_PRIORITY = 3  # of Temporal's priority keys, and its default
LONGEST_DELAY = timedelta(minutes=5)  # of a retry, unless its first delay is longer
# How many of each an action may have; the plan and the ledger are read whole, so a graph stays small.
SIZES = {
    "labels": 50, "inputs": 100, "schedules": 50, "stages": 200, "connectors": 1000,
    "on_error": 20, "on_success": 20, "on_finish": 20,
}  # fmt: skip
HANDLERS = ("on_error", "on_success", "on_finish")  # the lists of stages behind the graph
UNDO = ".undo"  # behind the id of a stage: what undoes it
MOST_ITEMS = 10_000  # of one foreach
MOST_AT_ONCE = 100  # items of one foreach

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
# Their codes have open ends: sql.unique_violation.
ERROR_FAMILIES = ("sql", "code", "redis", "s3", "approval", "action")

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


# What expressions may begin with; an item that is called so would hide it.
ROOTS = frozenset(
    {
        "attempt",
        "error",
        "index",
        "input",
        "inputs",
        "output",
        "secrets",
        "stages",
        "status",
        "trigger",
        "vars",
    }
)


def _not_reserved(word: str) -> str:
    if word in RESERVED_WORDS:
        raise ValueError(f"'{word}' is a reserved word of expressions; choose another name")
    return word


def _not_taken(word: str) -> str:
    if word in ROOTS:
        raise ValueError(f"'{word}' has a meaning in expressions already; choose another name")
    return word


def _positive(duration: timedelta) -> timedelta:
    if duration <= timedelta():
        raise ValueError("must be longer than 0s")
    return duration


def _known_error(code: str) -> str:
    if code in ERROR_CODES or code.partition(".")[0] in ERROR_FAMILIES:
        return code
    codes = [*sorted(ERROR_CODES), *(f"{family}.*" for family in ERROR_FAMILIES)]
    known = f"the codes are {', '.join(codes)}"
    raise ValueError(f"no error code '{code[:60]}'; {did_you_mean(code[:60], ERROR_CODES) or known}")


def _whole_number(value: object) -> object:
    if type(value) is not int:  # Python takes true and 1.0 for 1.
        raise ValueError("must be 1; it is the version of the language, a whole number")
    return value


def _condition(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _short_concurrency(value: object) -> object:
    return {"limit": value} if type(value) is int else value


def _list_or_text(value: object) -> object:
    if value is not None and not isinstance(value, str | list):
        raise ValueError("must be a list, or one expression that gives a list")
    return value


def _no_retry(value: object) -> object:
    return {"max_attempts": 1} if value is False else value


Id = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$", strict=True), AfterValidator(_not_reserved)
]
ItemList = Annotated[str | list[JsonValue] | None, BeforeValidator(_list_or_text)]
ItemName = Annotated[Id, AfterValidator(_not_taken)]
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
Limit = Annotated[StrictInt | StrictFloat | None, AllowInfNan(False)]
Length = Annotated[StrictInt | None, Field(ge=0)]
InputType = Literal["string", "integer", "number", "boolean", "array", "object", "datetime"]


class Part(BaseModel):
    """A part of an action: frozen, and no field that is not listed."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)


class InputItem(Part):
    """What a value must look like."""

    type: InputType = Field("string", description="The type of the value.")
    enum: tuple[JsonValue, ...] | None = Field(None, min_length=1, description="The only values allowed.")
    pattern: str | None = Field(None, description="A regular expression that a string must match whole.")
    min: Limit = Field(None, description="The least number.")
    max: Limit = Field(None, description="The greatest number.")
    min_length: Length = Field(None, description="The fewest characters of a string, or items of an array.")
    max_length: Length = Field(None, description="The most characters of a string, or items of an array.")
    items: "InputItem | None" = Field(None, description="What each item of an array must look like.")
    fields: "dict[str, Input] | None" = Field(
        None, max_length=SIZES["inputs"], description="The fields of an object; without them it may have any."
    )
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


PartT = TypeVar("PartT", bound=Part)
RetryPolicy = Annotated[Retry, BeforeValidator(_no_retry)]


class Defaults(Part):
    """What stages take that do not say it themselves."""

    retry: RetryPolicy | None = None
    timeout: Span | None = None


class Undo(Part):
    """What takes back the effect of a stage; it sees the stage's `output`."""

    uses: str = Field(description="The kind of the stage that undoes it.")
    connection: str | None = Field(None, min_length=1, description="The name of a connection of the tenant.")
    with_: dict[str, JsonValue] = Field(default_factory=dict, alias="with")
    retry: RetryPolicy | None = Field(None, description="One attempt only, unless given.")
    timeout: Span = Field(STAGE_TIMEOUT, description="Of one attempt.")


class Stage(Part):
    """One stage; `with` still holds its `${{ }}` texts."""

    id: Id
    name: Text = ""
    uses: str = Field(description="The kind of the stage.")
    connection: str | None = Field(None, min_length=1, description="The name of a connection of the tenant.")
    with_: dict[str, JsonValue] = Field(default_factory=dict, alias="with")
    when: Condition | None = Field(None, description="The stage is skipped if this is false.")
    foreach: ItemList = Field(
        None, description="A list, or an expression that gives one: the stage is executed for each item."
    )
    item_as: ItemName = Field("item", description="What the item is called in expressions.")
    concurrency: StrictInt = Field(
        10, ge=1, le=MOST_AT_ONCE, description="How many items are executed at once."
    )
    on_item_error: Literal["fail", "continue"] = Field(
        "fail", description="Whether a failed item fails the stage, or is an error among the results."
    )
    retry: RetryPolicy | None = Field(None, description="One attempt only, unless given.")
    timeout: Span = Field(STAGE_TIMEOUT, description="Of one attempt, or of a wait.")
    total_timeout: Span | None = Field(None, description="Of all attempts together, with their delays.")
    continue_on_error: StrictBool = Field(False, description="A failure of this stage fails nothing else.")
    join: Literal["any", "all"] = Field("any", description="How many incoming connectors must fire.")
    output: JsonValue = Field(None, description="What to keep instead of the whole output; sees `output`.")
    sensitive: StrictBool = Field(False, description="Neither input nor output is shown to people.")
    disabled: StrictBool = Field(False, description="The stage is always skipped.")
    undo: Undo | None = Field(
        None, description="Executed if the stage has completed and the trigger fails or is cancelled."
    )


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
    on: Literal["success", "error", "always", "skipped", "retry", "waiting", "reminder"] = "success"
    when: Condition | None = Field(None, description="The connector fires only if this is true.")
    map: dict[str, JsonValue] = Field(default_factory=dict, description="What the stage sees as `input`.")
    label: Text = ""


Handlers = Annotated[tuple[Stage, ...], Field(max_length=SIZES["on_error"])]


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
    on_error: Handlers = Field((), description="Executed one after the other when the trigger has failed.")
    on_success: Handlers = Field(
        (), description="Executed one after the other when the graph has ended well."
    )
    on_finish: Handlers = Field((), description="Executed one after the other at the end, whatever it was.")
    outputs: dict[Id, JsonValue] = Field(default_factory=dict, description="What the trigger gives back.")

    @model_validator(mode="after")
    def fill_defaults(self) -> "Action":
        """The action with its defaults written into the stages, so that no reader needs to look them up."""
        for name in ("stages", *HANDLERS):
            filled = tuple(_filled(stage, self.defaults) for stage in getattr(self, name))
            object.__setattr__(self, name, filled)  # The model is frozen for everybody else.
        if "timeout" not in self.model_fields_set and any(one.uses in WAITING_KINDS for one in self.stages):
            object.__setattr__(self, "timeout", LONGEST_WAIT)
        return self

    @property
    def handlers(self) -> Mapping[str, tuple[Stage, ...]]:
        """The lists of stages that are executed behind the graph."""
        return {name: getattr(self, name) for name in HANDLERS}

    @property
    def all_stages(self) -> Mapping[str, Stage]:
        """Everything that is executed as a stage, by its id; what undoes `x` is `x.undo`."""
        written = [*self.stages, *(stage for stages in self.handlers.values() for stage in stages)]
        undos = [undo_of(stage) for stage in self.stages]
        return {stage.id: stage for stage in [*written, *filter(None, undos)]}


def undo_of(stage: Stage) -> Stage | None:
    """What undoes a stage, as a stage of its own; its id is none that anybody could write.

    Of a stage with `foreach`, it is executed for each item that has completed; which they are is found then.
    """
    if stage.undo is None:
        return None
    undo = stage.undo
    # Not validated again: its id must be one that no stage can have.
    return Stage.model_construct(
        id=stage.id + UNDO, foreach=None if stage.foreach is None else [], item_as=stage.item_as,
        concurrency=stage.concurrency, uses=undo.uses, connection=undo.connection, with_=undo.with_,
        retry=undo.retry, timeout=undo.timeout, sensitive=stage.sensitive,
    )  # fmt: skip


def _filled(stage: Stage, defaults: Defaults) -> Stage:
    """The stage, and what undoes it, with the defaults that they leave out."""
    filled = _with_patience(stage) if stage.uses in WAITING_KINDS else _with_defaults(stage, defaults)
    if filled.undo is None:
        return filled
    return filled.model_copy(update={"undo": _with_defaults(filled.undo, defaults)})


def _with_patience(stage: Stage) -> Stage:
    """The patience of a stage that works says nothing about one that waits."""
    patience = {"timeout": default_patience(stage.uses, stage.with_)}
    return stage if "timeout" in stage.model_fields_set else stage.model_copy(update=patience)


def _with_defaults(part: PartT, defaults: Defaults) -> PartT:
    given = defaults.model_dump(exclude_none=True).keys() - part.model_fields_set
    return part.model_copy(update={name: getattr(defaults, name) for name in given}) if given else part
