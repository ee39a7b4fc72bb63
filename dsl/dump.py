"""An action as YAML that reads back as the same action: what a visual builder writes."""

import json
from typing import TypeGuard

import yaml
from pydantic import JsonValue

from dsl.action import Action, Defaults
from dsl.document import MAX_BYTES
from dsl.events import plain_value

Fields = dict[str, JsonValue]

_SPACES = str.maketrans("\n\t", "  ")
_ONE_ATTEMPT: JsonValue = {"max_attempts": 1}


class _Dumper(yaml.SafeDumper):
    """Writes for a reader of YAML 1.2, where other plain texts are numbers than in PyYAML's 1.1."""


def dump_action(action: Action) -> str:
    """The text of an action: what was given, in the order of the documents, and none of the defaults.

    Comments and the order of fields are those of no file; who has the text that was uploaded keeps that.
    """
    fields = action_fields(action)
    text: str = yaml.dump(fields, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    if len(text.encode()) <= MAX_BYTES:
        return text
    return json.dumps(
        fields, ensure_ascii=False, separators=(",", ":")
    )  # Without what indents it, it may fit.


def action_fields(action: Action) -> Fields:
    """The fields of an action as JSON, with what `defaults` fills left to them."""
    fields: Fields = {
        "version": action.version,
        **action.model_dump(mode="json", by_alias=True, exclude_unset=True),
    }
    shorter = _without_defaults(fields)
    # A kind may not take what is a default for others; then everything is written out.
    return shorter if Action.model_validate(shorter) == action else fields


def _without_defaults(fields: Fields) -> Fields:
    defaults = fields.get("defaults")
    given = _short(defaults, {}) if isinstance(defaults, dict) else {}
    shorter: Fields = {**fields, **({"defaults": given} if "defaults" in fields else {})}
    for name, value in fields.items():
        if isinstance(value, list):
            shorter[name] = [_short(part, given) if _is_stage(part) else part for part in value]
    return shorter


def _is_stage(part: JsonValue) -> TypeGuard[Fields]:
    return isinstance(part, dict) and "uses" in part


def _short(part: Fields, defaults: Fields) -> Fields:
    written = {**part, "retry": False} if part.get("retry") == _ONE_ATTEMPT else part
    return {
        name: value
        for name, value in written.items()
        if name not in Defaults.model_fields or name not in defaults or value != defaults[name]
    }


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=_style(text))


def _style(text: str) -> str | None:
    if not text.translate(_SPACES).isprintable():
        return '"'  # There they are escaped; PyYAML would break lines at some of them.
    if "\n" in text:
        return "|"
    return "'" if _is_no_text(text) else None


def _is_no_text(text: str) -> bool:
    """Whether it would be read as something else, or refused, if it stood there without quotes."""
    try:
        return not isinstance(plain_value(text), str)
    except ValueError:
        return True


_Dumper.add_representer(str, _text)
