"""The reference of the settings."""

from pydantic.fields import FieldInfo

from cronny.settings import Settings
from tools.docs.fields import cell

HEAD = """\
<!-- Generated from cronny/settings.py by `make docs`; edit the settings there. -->
# Settings

Each setting is an environment variable. `cronny up` has flags for those that a person changes, and hands
the same settings to every process that it starts. A value that cannot be used is refused at the start.

| variable | default | |
|---|---|---|
"""


def settings_page() -> str:
    """`docs/settings.md`."""
    prefix = Settings.model_config["env_prefix"]
    rows = [_row(f"{prefix}{name}".upper(), field) for name, field in Settings.model_fields.items()]
    return HEAD + "\n".join(rows) + "\n"


def _row(variable: str, field: FieldInfo) -> str:
    default = "" if field.default_factory or field.default in (None, ()) else f"`{field.default}`"
    return f"| `{variable}` | {default} | {cell(field.description or '')} |"
