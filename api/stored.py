"""Actions as they were stored, maybe by another version of Cronny."""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import JsonValue, ValidationError

from api.views.user import UserView, name_users
from cronny.errors import Conflict, Invalid
from cronny.store.tables import ActionVersion
from dsl.action import HANDLERS, Action
from dsl.outside import outside_of
from dsl.problems import Problem


def read_stored(version: ActionVersion) -> Action:
    """The action of a stored version; raises Conflict when this Cronny cannot read it any more."""
    try:
        return Action.model_validate(version.model)
    except ValidationError:
        raise Conflict("this version of Cronny cannot read the stored action; upload it again") from None


def users_by_connection(versions: Iterable[ActionVersion]) -> Mapping[str, list[UserView]]:
    """The actions with stages that use each connection, by its name."""
    found: dict[str, dict[str, list[str]]] = {}
    for name, stages in map(_stages, versions):
        for id_, stage in stages:
            if isinstance(connection := stage.get("connection"), str):
                found.setdefault(connection, {}).setdefault(name, []).append(id_)
    return {
        connection: [
            UserView(action=action, stages=tuple(dict.fromkeys(ids))) for action, ids in actions.items()
        ]
        for connection, actions in found.items()
    }


def users_of(connection: str, versions: Iterable[ActionVersion]) -> list[UserView]:
    """The actions with stages that use a connection."""
    return users_by_connection(versions).get(connection, [])


def users_of_outside(root: str, name: str, versions: Iterable[ActionVersion]) -> list[UserView]:
    """The actions with expressions that use a variable (`vars`) or a secret (`secrets`)."""
    # Most texts don't have the name at all, and looking into expressions takes a millisecond each.
    models = [version.model for version in versions if name in version.source]
    return [
        UserView(action=str(model.get("name")), stages=tuple(sorted(_owners(model, root, name))))
        for model in models
        if isinstance(model, dict) and name in outside_of(model).of(root)
    ]


def labelled_with(label: str, versions: Iterable[ActionVersion]) -> set[str]:
    """The ids of the actions whose labels have this `name=value`; raises Invalid."""
    name, separator, value = label.partition("=")
    if not name or not separator:
        raise Invalid([Problem("query.label", "this is no label", "write it as name=value", "label")])
    return {
        version.action_id
        for version in versions
        if isinstance(version.model, dict)
        and isinstance(labels := version.model.get("labels"), dict)
        and labels.get(name) == value
    }


def require_unused(refusal: str, users: Sequence[UserView], is_forced: bool) -> dict[str, JsonValue]:
    """What the event of a deletion tells of those who used it; raises Conflict unless it is forced."""
    if users and not is_forced:
        raise Conflict(f"{refusal}: it is used by {name_users(users)}")
    return {"forced": True, "used_by": [user.action for user in users]} if users else {}


def _stages(version: ActionVersion) -> tuple[str, list[tuple[str, dict[str, JsonValue]]]]:
    """The name of the action, and its stages with what undoes them, each by the id of the stage."""
    model = version.model
    if not isinstance(model, dict):
        return "", []
    stages = _every_stage(model)
    undos = [(id_, undo) for id_, stage in stages if isinstance(undo := stage.get("undo"), dict)]
    return str(model.get("name")), [*stages, *undos]


def _every_stage(model: Mapping[str, JsonValue]) -> list[tuple[str, dict[str, JsonValue]]]:
    """The stages of the graph and those behind it, by their ids."""
    lists = [model.get(name) for name in ("stages", *HANDLERS)]
    stages = [stage for found in lists if isinstance(found, list) for stage in found]
    return [(str(stage.get("id")), stage) for stage in stages if isinstance(stage, dict)]


def _owners(model: dict[str, JsonValue], root: str, name: str) -> set[str]:
    """The stages whose own fields name it."""
    return {id_ for id_, stage in _every_stage(model) if name in outside_of({"stages": [stage]}).of(root)}
