"""Many rows in one statement: `values (?, ?)` becomes `values (?, ?), (?, ?), …`."""

import re

MOST_PARAMETERS = 65_535  # of a statement; the protocol counts them in two bytes.
MOST_ROWS = 1000

# Only what is the same whether rows come in one statement or one after the other, which a subquery is not.
_ITEM = r"(?:\?|default|null|-?\d+(?:\.\d+)?|now\(\)|current_timestamp(?:\(\))?|\w+\(\s*\?\s*\))"
_VALUES = re.compile(rf"\bvalues?\s*(\(\s*{_ITEM}(?:\s*,\s*{_ITEM})*\s*\))", re.IGNORECASE)
_INSERT = re.compile(r"\s*(insert|replace)\b", re.IGNORECASE)


def repeated(sql: str, parameters: int, rows: int) -> str | None:
    """The statement for so many rows, or None if it has no list of values that could be repeated.

    What is wrong about the result, such as a `?` that stood in a text, the server finds: it must have
    `parameters * rows` parameters.
    """
    found = _VALUES.search(sql)
    if not _INSERT.match(sql) or found is None or not parameters:
        return None
    if not found[1].count("?") == sql.count("?") == parameters:
        return None
    return sql[: found.start(1)] + ", ".join([found[1]] * rows) + sql[found.end(1) :]


def rows_at_once(parameters: int) -> int:
    """How many rows fit into one statement."""
    return max(1, min(MOST_ROWS, MOST_PARAMETERS // max(1, parameters)))
