"""What the kinds of SQL share: the fields of `with:`, and the room that a result has."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field, JsonValue, field_validator, model_validator
from pydantic.config import JsonDict

from activities.stages.kind import Block, StageError

MOST_STATEMENTS = 100

VERBATIM: JsonDict = {"x-verbatim": True}
# What may stand before a statement. MySQL executes the insides of `/*! … */`, so they are the statement.
_BEFORE = re.compile(r"(?:\s|--[^\n]*|#[^\n]*|/\*(?!M?!).*?\*/|/\*M?!\d*|\()*", re.DOTALL)
_OF_TRANSACTIONS = re.compile(
    r"(begin(?!\s+not\b)|start\s+transaction|commit|end|abort|prepare\s+transaction|xa"
    r"|rollback(?!\s+(?:(?:work|transaction)\s+)?to\b))\b",
    re.IGNORECASE,
)
_OF_FILES = re.compile(r"(copy|load\s+(?:data|xml))\b", re.IGNORECASE)


def _checked(sql: str) -> str:
    if "${{" in sql:
        raise ValueError("values go in as parameters, through params, never into the text")
    before = _BEFORE.match(sql)
    statement = sql[before.end() if before else 0 :]
    if not statement.strip("; \t\n"):
        raise ValueError("there is no statement")
    if _OF_TRANSACTIONS.match(statement):
        raise ValueError("the stage begins and ends its transaction by itself; leave this statement out")
    if _OF_FILES.match(statement):
        raise ValueError("a stage moves no files of a server; give the values as rows, or query them")
    return sql


class Statement(Block):
    """One statement of several."""

    sql: str = Field(description="The statement.", json_schema_extra=VERBATIM)
    params: list[JsonValue] = Field([], description="The values of its parameters.")
    rows: list[list[JsonValue]] | None = Field(
        None, description="Executes it once for each of these lists of values."
    )
    expect_row_count: int | None = Field(
        None, ge=0, description="Any other number of rows, found or affected, fails the stage."
    )

    @field_validator("sql")
    @classmethod
    def _is_one(cls, sql: str) -> str:
        return _checked(sql)

    @model_validator(mode="after")
    def _has_one_kind_of_values(self) -> "Statement":
        if self.params and self.rows is not None:
            raise ValueError("give params or rows")
        return self


class SqlWith(Block):
    """The `with:` block of a kind of SQL."""

    sql: str | None = Field(None, description="One statement.", json_schema_extra=VERBATIM)
    params: list[JsonValue] = Field([], description="The values of its parameters.")
    rows: list[list[JsonValue]] | None = Field(
        None,
        description="Executes the statement once for each of these lists of values; all of them or none.",
    )
    expect_row_count: int | None = Field(
        None, ge=0, description="Any other number of rows, found or affected, fails the stage."
    )
    statements: list[Statement] | None = Field(
        None,
        min_length=1,
        max_length=MOST_STATEMENTS,
        description="Instead of `sql`: several, each with `sql` and its own `params`, `rows` and "
        "`expect_row_count`, in one transaction.",
    )
    mode: Literal["query", "execute", "insert"] | None = Field(
        None, description="Found from the statement; given, anything else is an error."
    )
    readonly: bool = Field(False, description="The server refuses whatever would change something.")
    isolation: Literal["read_uncommitted", "read_committed", "repeatable_read", "serializable"] | None = (
        Field(None, description="Of the transaction; else as the server has it.")
    )
    transaction: bool = Field(True, description="`false` for a statement that allows none around it.")
    max_rows: int = Field(1000, ge=0, le=100_000, description="The most rows of all results together.")
    max_bytes: int = Field(1_000_000, ge=0, le=16_000_000, description="The most bytes of them, as JSON.")
    on_limit: Literal["fail", "truncate"] = Field(
        "fail",
        description="A larger result is an error; with `readonly` it can be cut off: see `truncated`.",
    )

    @field_validator("sql")
    @classmethod
    def _is_one(cls, sql: str | None) -> str | None:
        return None if sql is None else _checked(sql)

    @model_validator(mode="after")
    def _fits_together(self) -> "SqlWith":
        if problem := next(self._problems(), ""):
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        own = self.model_fields_set & {"sql", "params", "rows", "mode", "expect_row_count"}
        if (self.sql is None) == (self.statements is None):
            yield "give either sql or statements"
        if self.statements is not None and own:
            yield f"{min(own)} belongs to sql; each of the statements has its own"
        if self.params and self.rows is not None:
            yield "give params or rows"
        if not self.transaction and (own - {"sql", "params", "mode"} or self.statements is not None):
            yield "rows, statements and expect_row_count need the transaction"
        if not self.transaction and self.isolation is not None:
            yield "isolation is that of the transaction, which is not wanted"
        if self.mode is not None and (self.mode == "insert") != (self.rows is not None):
            yield "mode insert and rows belong together"
        if self.on_limit == "truncate" and not self.readonly:
            yield "what is cut off must not change anything; add readonly: true"

    @property
    def parts(self) -> Sequence[Statement]:
        """The statements, of which `sql` may be the only one."""
        if self.statements is not None:
            return self.statements
        own = {name: getattr(self, name) for name in Statement.model_fields}
        return [Statement.model_construct(**own)]  # They have been checked as those of a statement are.


class Room:
    """What is left of `max_rows` and `max_bytes`, for all results together."""

    def __init__(self, fields: SqlWith) -> None:
        self._fields = fields
        self.rows = fields.max_rows
        self.bytes = fields.max_bytes

    def takes(self, row: JsonValue) -> bool:
        """Whether the row fits; one that does not is an error unless results may be cut off."""
        try:
            self.bytes -= len(json.dumps(row, ensure_ascii=False).encode(errors="replace"))
        except RecursionError:
            raise invalid("a value of the result is nested too deeply") from None
        self.rows -= 1
        if self.rows >= 0 and self.bytes >= 0:
            return True
        if self._fields.on_limit == "truncate":
            return False
        raise self.excess("max_rows" if self.rows < 0 else "max_bytes")

    def excess(self, limit: Literal["max_rows", "max_bytes"] = "max_bytes") -> StageError:
        """The error of a result that is larger than a limit."""
        size = getattr(self._fields, limit)
        return invalid(
            f"more than {limit}: {size}; ask for less, raise it, or let a readonly stage truncate it"
        )


class Result:
    """The result of one statement, row by row."""

    def __init__(self, columns: Sequence[str], room: Room) -> None:
        name, times = next(iter(Counter(columns).most_common(1)), ("", 0))
        if times > 1:  # A row is a map of its columns.
            raise invalid(f"two columns are named '{name}'; give one of them another name with `as`")
        self.columns = columns
        self.rows: list[JsonValue] = []
        self.is_truncated = False
        self._room = room

    def add(self, row: JsonValue) -> bool:
        """Keep a row; false when this one and all after it are cut off."""
        self.is_truncated = not self._room.takes(row)
        if not self.is_truncated:
            self.rows.append(row)
        return not self.is_truncated

    def require(self, mode: str | None) -> None:
        """Raise StageError if the statement is not of the mode that was given."""
        if mode in ("query", "execute") and bool(self.columns) != (mode == "query"):
            raise invalid(f"mode {mode}: the statement gives {'rows' if self.columns else 'no rows'}")

    def output(self, affected: int, statement: Statement) -> dict[str, JsonValue]:
        """The output; raises StageError if its rows are not as many as were expected."""
        count = len(self.rows) if self.columns else affected
        if statement.expect_row_count not in (None, count):
            message = f"{count} rows instead of {statement.expect_row_count}; nothing was changed"
            raise StageError("sql.row_count", message, retryable=False, details={"row_count": count})
        return {
            "rows": self.rows,
            "row_count": count,
            "columns": list(self.columns),
            "truncated": self.is_truncated,
        }


def of_all(outputs: list[dict[str, JsonValue]], fields: SqlWith) -> dict[str, JsonValue]:
    """The stage's output: that of its only statement, or the list of all."""
    if fields.statements is None:
        return outputs[0]
    results: list[JsonValue] = list(outputs)
    return {"results": results}


def placed(place: str, error: StageError) -> StageError:
    """The error with the place in `with` that it is about."""
    return StageError(
        error.code,
        f"{place}: {error.message}",
        retryable=error.retryable,
        retry_after=error.retry_after,
        details=error.details,
    )


def invalid(message: str) -> StageError:
    """What was given does not fit; another attempt changes nothing."""
    return StageError("validation", message, retryable=False)
