"""What editors say of the parts of an action whose models leave it to their names."""

from collections.abc import Mapping

TYPE_TEXTS: Mapping[str, str] = {
    "Action": "A named graph of stages joined by connectors, and when it is triggered.",
    "Stage": "One stage of the action.",
}
# By the name of a field, or by type and name where the same name means several things.
FIELD_TEXTS: Mapping[str, str] = {
    "version": "The version of the language.",
    "name": "A name for people.",
    "Action.name": "The name of the action: small letters, digits and `_`, 63 at most.",
    "id": "What the stage is called: small letters, digits and `_`, 63 at most.",
    "description": "A description for people.",
    "labels": "Texts by name, for people.",
    "inputs": "What a trigger is given, by name.",
    "defaults": "`retry` and `timeout` of stages that have none of their own.",
    "stages": "What is done: 1 to 200 stages.",
    "with": "The fields of the kind; their values may be expressions, `${{ }}`.",
    "retry": "When and how often a failed stage is tried again.",
    "timeout": "Of one attempt.",
    "required": "Whether a trigger must be given it.",
    "default": "The value if none is given.",
    "from": "The id of the stage where it begins.",
    "to": "The id of the stage where it ends.",
    "Connector.on": "How the first stage must have ended.",
    "label": "A name for people.",
}
