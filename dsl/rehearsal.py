"""What a test of an action puts in the place of its stages' side effects."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from dsl.action import Action
from dsl.problems import did_you_mean, known_hint


class GivenError(BaseModel):
    """The error with which a stage is to fail."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(min_length=1, max_length=100, description="Such as `timeout` or `http.status`.")
    message: str = Field("given by the test", max_length=10_000)
    details: JsonValue = None


class Given(BaseModel):
    """How a stage is to end: with an output, with one for each item, or with an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    output: JsonValue = Field(None, description="What its kind would give, before `output:` shapes it.")
    items: tuple[JsonValue, ...] | None = Field(None, description="Of a stage with `foreach`: one for each.")
    error: GivenError | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "Given":
        if len(self.model_fields_set) != 1:
            raise ValueError("needs one of output, items and error")
        return self


class Rehearsal(BaseModel):
    """A test of an action: what does not really happen, and what does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    given: Mapping[str, Given] = {}  #: By the id of the stage.
    recorded: Mapping[str, Given] = {}  #: What became of them in another trigger; shaped already.
    allow: tuple[str, ...] = ()  #: Stages that are executed with their side effects.
    only: str | None = None  #: The stage that is tested; those before it are only stood in for.

    def misnamed(self, action: Action) -> Iterator[tuple[tuple[str, ...], str, str]]:
        """The path, what is wrong and a hint for each stage that the action does not have."""
        known = list(action.all_stages)
        named: list[tuple[tuple[str, ...], str]] = [(("given", name), name) for name in self.given]
        named += [(("allow", str(index)), name) for index, name in enumerate(self.allow)]
        named += [(("only",), self.only)] if self.only is not None else []
        for path, name in named:
            if name not in known:
                hint = did_you_mean(name, known) or known_hint("stages", known)
                yield path, f"the action has no stage '{name[:63]}'", hint
