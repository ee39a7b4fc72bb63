"""What a kind of stage is: its fields, its documentation and its execution."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue

from activities.stages.request import Answer, Request
from cronny.egress import EgressPolicy
from cronny.errors import CronnyError
from dsl.kinds import KindSpec

WithT = TypeVar("WithT", bound=BaseModel)
ConnectionT = TypeVar("ConnectionT", bound="BaseModel | None")


class Block(BaseModel):
    """A `with:` block or a connection: frozen, and no field that is not listed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StageError(CronnyError):
    """The stage failed."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retryable: bool,
        retry_after: timedelta | None = None,
        details: JsonValue = None,
    ) -> None:
        """`code` is one of DESIGN 2.3's; `retry_after` is the least delay that the other side asked for."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after
        self.details = details


@dataclass(frozen=True)
class Origin:
    """Whose stage it is, and of which trigger."""

    tenant: str  #: Its slug.
    action: str
    schedule: str  #: Empty for a trigger by hand.
    trigger_id: str
    stage_id: str


Deed: TypeAlias = Callable[[], Awaitable[None]]
Stream: TypeAlias = Literal["stdout", "stderr"]
Earlier: TypeAlias = Callable[[], Awaitable[Mapping[str, int]]]


async def nothing_earlier() -> Mapping[str, int]:
    """What there is of an attempt that nobody has executed before."""
    return {}


@dataclass(frozen=True)
class Passage:
    """How an attempt that outlives its worker is passed on: what it left outside can be found again."""

    is_handed_over: Callable[[], bool] = lambda: False  #: Whether who cancels it has it go on elsewhere.
    afterwards: list[Deed] = field(default_factory=list)  #: What to do once its end is recorded.
    earlier: Earlier = nothing_earlier  #: Begins the log with an earlier worker's; its lines by stream.


@dataclass(frozen=True)
class StageContext(Generic[WithT, ConnectionT]):
    """Everything one attempt of a stage may use."""

    with_: WithT
    connection: ConnectionT
    egress: EgressPolicy
    idempotency_key: str  #: The same on every attempt.
    attempt: int
    timeout: timedelta  #: For the whole attempt.
    log: Callable[[str], None]
    origin: Origin
    conceal: Callable[[str], None]  #: Have a secret that the stage was given masked from now on.
    answer: Answer | None = None  #: For a kind that waits: how the wait ended.
    passage: Passage = field(default_factory=Passage)
    streams: Callable[[Stream, str], None] | None = None  #: The log, for lines whose stream is known.

    def log_from(self, stream: Stream) -> Callable[[str], None]:
        """The log, for what a program writes to a stream."""
        return partial(self.streams, stream) if self.streams is not None else self.log


@dataclass(frozen=True)
class ConnectionContext(Generic[ConnectionT]):
    """Everything a test of a connection may use."""

    connection: ConnectionT
    egress: EgressPolicy
    timeout: timedelta
    conceal: Callable[[str], None]  #: Have a secret that the test was given masked from now on.
    tenant: str  #: Its slug.


@dataclass(frozen=True)
class Kind(KindSpec):
    """A kind of stage; `run` gives the output or raises `StageError`.

    A kind that waits has a `request`, from its `with` and the present; it is run when it has an answer.
    `check_connection` gives in a sentence what answered, without changing anything there, or raises
    `StageError`; a kind without it has connections that cannot be tested.
    """

    connection_model: type[BaseModel] | None
    run: Callable[[StageContext[Any, Any]], Awaitable[JsonValue]]
    example: str  #: The YAML of one stage.
    summary: str
    request: Callable[[Any, datetime], Request] | None = None
    check_connection: Callable[[ConnectionContext[Any]], Awaitable[str]] | None = None
