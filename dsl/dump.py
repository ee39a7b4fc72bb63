"""An action as YAML that reads back as the same action: what a visual builder writes."""

import json

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
    """The fields of an action as JSON, with those of its stages that `defaults` fills left to it."""
    fields: Fields = {
        "version": action.version,
        **action.model_dump(mode="json", by_alias=True, exclude_unset=True),
    }
    defaults = fields.get("defaults", {})
    stages = fields["stages"]
    for part in [defaults, *(stages if isinstance(stages, list) else [])]:
        if isinstance(part, dict):
            _shorten(part, {} if part is defaults else defaults)
    return fields


def _shorten(part: Fields, defaults: JsonValue) -> None:
    if part.get("retry") == _ONE_ATTEMPT:
        part["retry"] = False
    for name in Defaults.model_fields:
        if isinstance(defaults, dict) and name in defaults and part.get(name) == defaults[name]:
            del part[name]


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
