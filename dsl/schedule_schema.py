"""The JSON Schema of a schedule's structured form; phrases inside it are texts, which the checker reads."""

from typing import Any, get_args

from dsl.fields import RULE_FIELDS
from dsl.options import CALENDAR_NAME, MOST_FIRES, CatchupMode, Overlap, Roll
from dsl.phrases import MOST_RULES

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_SCALAR: Schema = {"type": ["string", "integer"]}
_TEXTS: Schema = {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR, "minItems": 1}]}
_NUMBER: Schema = {"type": "integer", "minimum": 1, "maximum": MOST_FIRES}
_CALENDAR: Schema = {"type": "string", "pattern": f"^{CALENDAR_NAME.pattern}$"}
_CALENDARS: Schema = {"anyOf": [_CALENDAR, {"type": "array", "items": _CALENDAR}]}
_CATCHUP_MODE: Schema = {"enum": list(get_args(CatchupMode))}
_FIELDS: dict[str, tuple[str, Schema]] = {
    "id": (
        "In a list of `schedules`: its name, after that of the action.",
        {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,62}$"},
    ),
    "every": (
        "`day`, `week`, `2 weeks`, `month`, `year`; or an interval, `5 minutes`, `1h20m`; or a whole phrase.",
        _SCALAR,
    ),
    "on": ("A day or a list of them: `monday`, `the 1st`, `last friday`, `24 December`.", _TEXTS),
    "at": ("A time or a list of them, `09:00`; for single fires a date, or `in 10 minutes`.", _TEXTS),
    "between": ("`09:00 and 17:00`: the part of each day in which an interval fires.", _TEXT),
    "cron": ("Cron text, `0 9 * * mon-fri`.", _TEXT),
    "rules": (
        "Instead of the fields of one rule, a list of rules: phrases, or mappings of those fields.",
        {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_RULES,
            "items": {"anyOf": [_TEXT, {"$ref": "#/definitions/Rule"}]},
        },
    ),
    "timezone": ("A place, `Europe/London`; without one, `UTC`.", _TEXT),
    "start": ("The first moment that may fire.", _SCALAR),
    "end": ("The last moment that may fire.", _SCALAR),
    "count": ("After how many fires it ends.", _NUMBER),
    "exclude": ("Days, dates, ranges such as `2026-12-24 to 2027-01-02`, and calendars, left out.", _TEXTS),
    "calendars": (
        "Dates of calendars that are wanted or left out, and where a day goes that is lost.",
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "only": {"description": "Fire on dates of these calendars only.", **_CALENDARS},
                "except": {"description": "Never fire on dates of these calendars.", **_CALENDARS},
                "roll": {"description": "Where a day goes that is lost.", "enum": list(get_args(Roll))},
            },
        },
    ),
    "dst_gap": ("What becomes of a time that a changed clock leaves out.", {"enum": ["next", "skip"]}),
    "dst_overlap": ("Which of two equal times fires.", {"enum": ["first", "last", "both"]}),
    "overlap": (
        "What becomes of a trigger while the one before it executes.",
        {"enum": list(get_args(Overlap))},
    ),
    "catchup": (
        "What becomes of fires that were missed.",
        {
            "anyOf": [
                _CATCHUP_MODE,
                {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "mode": {"description": "Which of them are caught up.", **_CATCHUP_MODE},
                        "window": {"description": "Only those of this last time.", **_TEXT},
                        "cap": {"description": "At most so many.", **_NUMBER},
                    },
                },
            ]
        },
    ),
    "complete_on": (
        "Whether a trigger counts as completed when its action has finished, or as soon as it has started.",
        {"enum": ["finish", "start"]},
    ),
    "jitter": ("A random-looking delay up to this, never past the next fire.", _TEXT),
    "spread": ("Schedules due at one instant are spread over this time.", _TEXT),
    "deadline": ("How late a trigger may start; a later one is missed.", _TEXT),
    "pause_after_failures": ("After so many failures in a row the schedule pauses itself.", _NUMBER),
    "inputs": ("What the triggers of this schedule are given.", {"type": "object"}),
    "paused": ("`true` for a schedule that is to begin in a pause.", {"type": "boolean"}),
}


def schedule_schema() -> dict[str, Schema]:
    """The definitions `Schedule` and `Rule`; a field that is null is left out."""
    return {
        "Schedule": _mapping("When the action is triggered.", tuple(_FIELDS)),
        "Rule": _mapping("One of several rules of a schedule.", RULE_FIELDS),
    }


def _mapping(about: str, names: tuple[str, ...]) -> Schema:
    fields = {name: _nullable(*_FIELDS[name]) for name in names}
    return {"description": about, "type": "object", "additionalProperties": False, "properties": fields}


def _nullable(about: str, schema: Schema) -> Schema:
    return {"description": about, "anyOf": [*schema.get("anyOf", [schema]), {"type": "null"}]}
