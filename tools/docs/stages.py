"""The reference of the stage kinds."""

from activities.stages.catalogue import KINDS
from activities.stages.kind import Kind
from tools.docs.fields import field_table

HEAD = """\
<!-- Generated from activities/stages/ by `make docs`; edit the kinds there. -->
# Stage kinds

What `uses:` can name. Each value of `with:` may be an expression, `${{ … }}`, unless its text says that
it is taken as written. Connections are kept by the tenant; their secrets are sealed and never shown again.
"""


def stages_page() -> str:
    """`docs/stages.md`."""
    return "\n".join([HEAD, *(_section(kind) for kind in KINDS.values())])


def _section(kind: Kind) -> str:
    parts = [f"## {kind.name}", kind.summary, f"```yaml\n{kind.example}```"]
    parts += [f"### `with` of {kind.name}", field_table(kind.with_model)]
    if kind.connection_model is not None:
        parts += [f"### Connection of {kind.name}", _need(kind), field_table(kind.connection_model)]
    if kind.is_waiting:
        parts.append("It takes no worker's slot while it waits, and goes on waiting through any restart.")
    if kind.is_pure:
        parts.append("It touches nothing outside: no connection, no side effect.")
    return "\n\n".join(parts) + "\n"


def _need(kind: Kind) -> str:
    about = (kind.connection_model.__doc__ or "").strip() if kind.connection_model else ""
    tested = " It can be tested: `cronny connections test NAME`." if kind.check_connection else ""
    return f"{about} It is {kind.connection}.{tested}"
