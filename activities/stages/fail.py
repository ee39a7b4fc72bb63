"""The kind `fail`: the trigger ends here, on purpose."""

from pydantic import Field, JsonValue

from activities.stages.kind import Block, Kind, StageContext, StageError


class FailWith(Block):
    """The `with:` block of `fail`."""

    message: str = Field(description="What the trigger says about it.")
    code: str = Field(
        "validation",
        pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$",
        description="The error code; `validation` says that the values at hand are not acceptable.",
    )


async def run(context: StageContext[FailWith, None]) -> JsonValue:
    """Nothing: it raises the error that was asked for, which no retry can change."""
    raise StageError(context.with_.code, context.with_.message, retryable=False)


FAIL = Kind(
    name="fail",
    with_model=FailWith,
    connection="none",
    is_pure=True,
    connection_model=None,
    run=run,
    summary="Fails the trigger with a message.",
    example="""\
id: refuse
uses: fail
with: {message: "the import has no rows"}
""",
)
