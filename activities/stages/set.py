"""The kind `set`: values for the stages after it."""

from pydantic import Field, JsonValue

from activities.stages.kind import Block, Kind, StageContext


class SetWith(Block):
    """The `with:` block of `set`."""

    values: dict[str, JsonValue] = Field(description="The output, field by field.")


async def run(context: StageContext[SetWith, None]) -> JsonValue:
    """The values as they stand."""
    return dict(context.with_.values)


SET = Kind(
    name="set",
    with_model=SetWith,
    connection="none",
    is_pure=True,
    connection_model=None,
    run=run,
    summary="Computes values for the stages after it.",
    example="""\
id: totals
uses: set
with:
  values: {region: eu, count: "${{ 2 + 3 }}"}
""",
)
