"""What the API shows of the versions of an action."""

from datetime import datetime
from difflib import unified_diff

from pydantic import Field, JsonValue

from api.views.action import PartDifference, view_differences
from api.views.listing import View
from cronny.store.tables import ActionVersion
from dsl.differences import differences

LONGEST = 10_000  # lines of a text: comparing takes time by more than their number
CONTEXT = 3  # lines around each difference, as `diff -u` shows


class VersionSummary(View):
    """A version in a list."""

    version: int
    created: datetime
    actor: str = Field(description="Who uploaded it: the name of an API key; empty if nobody knows.")
    restored: int | None = Field(description="Of a rollback: the version whose text it has.")


class VersionView(VersionSummary):
    """A version alone."""

    source: str = Field(description="The text as it was uploaded.")
    action: JsonValue = Field(description="The action as it was read, with every default.")


class DiffView(View):
    """What one version has otherwise than another."""

    action: str
    before: int = Field(description="The version that is compared with.")
    after: int
    text: str = Field(description="The difference of the texts, as `diff -u` writes it; empty if none.")
    differences: tuple[PartDifference, ...] = Field(description="Part by part.")


def summarise_version(row: ActionVersion) -> VersionSummary:
    """A version as a list shows it."""
    return VersionSummary(version=row.version, created=row.created_at, actor=row.actor, restored=row.restored)


def view_version(row: ActionVersion) -> VersionView:
    """A version as it is shown alone."""
    return VersionView(**summarise_version(row).model_dump(), source=row.source, action=row.model)


def view_diff(name: str, before: ActionVersion, after: ActionVersion) -> DiffView:
    """A difference as it is answered."""
    return DiffView(
        action=name,
        before=before.version,
        after=after.version,
        text=_text(name, before, after),
        differences=view_differences(differences(before.model, after.model)),
    )


def _text(name: str, before: ActionVersion, after: ActionVersion) -> str:
    first, second = before.source.splitlines(), after.source.splitlines()
    if max(len(first), len(second)) > LONGEST:
        return f"(texts of more than {LONGEST} lines are not compared line by line)\n"
    marks = f"{name} v{before.version}", f"{name} v{after.version}"
    return "".join(f"{line}\n" for line in unified_diff(first, second, *marks, n=CONTEXT, lineterm=""))
