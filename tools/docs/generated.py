"""Which documents are generated, and from what."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tools.docs.functions import functions_page
from tools.docs.openapi import openapi
from tools.docs.problems import problems_page
from tools.docs.schema import action_schema_page
from tools.docs.settings import settings_page
from tools.docs.stages import stages_page

DOCS = Path(__file__).parents[2] / "docs"

GENERATED: Mapping[str, Callable[[], str]] = {
    "stages.md": stages_page,
    "functions.md": functions_page,
    "problems.md": problems_page,
    "settings.md": settings_page,
    "openapi.json": openapi,
    "schemas/action.v1.json": action_schema_page,
}
