"""The kind `code`: a tenant's own Python, JavaScript or TypeScript, which reaches nothing outside."""

from datetime import timedelta

from pydantic import Field, JsonValue, field_validator

from activities.stages.kind import Block, Kind, StageContext
from activities.stages.sandbox.job import Job, Language
from activities.stages.sandbox.runs import run_code
from dsl.durations import Duration

LONGEST = timedelta(minutes=5)
SHORTEST = timedelta(milliseconds=100)


class CodeWith(Block):
    """The `with:` block of `code`."""

    language: Language = Field(description="What the source is written in.")
    source: str = Field(
        min_length=1,
        max_length=100_000,
        description="The code. If it defines `main`, the result is what `main(inputs)` returns; otherwise "
        "the value of the last expression (Python) or of `return` (JavaScript, TypeScript).",
        json_schema_extra={"x-verbatim": True},
    )
    inputs: dict[str, JsonValue] = Field({}, description="What the code sees as `inputs`.")
    time_limit: Duration = Field(
        timedelta(seconds=10),
        description="How long the code may take, from `100ms` to `5m`.",
        json_schema_extra={"default": "10s"},
    )
    memory_mb: int = Field(64, ge=16, le=512, description="Limit of the memory of its values, in MB.")
    max_bytes: int = Field(1_000_000, ge=0, le=16_000_000, description="Limit of the result, as JSON.")

    @field_validator("time_limit")
    @classmethod
    def _is_bounded(cls, limit: timedelta) -> timedelta:
        if not SHORTEST <= limit <= LONGEST:
            raise ValueError("must be from 100ms to 5m")
        return limit

    @field_validator("source")
    @classmethod
    def _has_code(cls, source: str) -> str:
        if not source.strip():
            raise ValueError("there is no code")
        return source


async def run(context: StageContext[CodeWith, None]) -> JsonValue:
    """The result of the code."""
    fields = context.with_
    job = Job(
        language=fields.language,
        source=fields.source,
        inputs=dict(fields.inputs),
        memory=fields.memory_mb << 20,
        seconds=fields.time_limit.total_seconds(),
        max_bytes=fields.max_bytes,
    )
    return await run_code(job, context.log_from("stdout"), context.origin.tenant)


CODE = Kind(
    name="code",
    with_model=CodeWith,
    connection="none",
    is_pure=False,
    is_harmless=True,
    connection_model=None,
    run=run,
    summary="Runs Python, JavaScript or TypeScript that reaches nothing outside.",
    example="""\
id: total
uses: code
with:
  language: python
  inputs: {orders: [{id: 1, total: 9.5}, {id: 2, total: 0.5}]}
  source: |
    def main(inputs):
        orders = inputs["orders"]
        print(len(orders), "orders")
        return {"total": sum(order["total"] for order in orders)}
""",
)
