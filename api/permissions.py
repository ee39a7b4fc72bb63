"""What an API key may: a table of what each request needs, and one of what each role has."""

from collections.abc import Mapping
from typing import Literal, get_args

from pydantic import JsonValue

from cronny.errors import Forbidden

Role = Literal["viewer", "operator", "editor", "admin"]
Scope = Literal[
    "actions:read",
    "actions:run",
    "actions:write",
    "approvals:decide",
    "approvals:read",
    "calendars:read",
    "calendars:write",
    "connections:read",
    "connections:test",
    "connections:write",
    "events:read",
    "keys:read",
    "keys:write",
    "limits:read",
    "schedules:operate",
    "schedules:read",
    "schedules:write",
    "secrets:read",
    "secrets:write",
    "triggers:cancel",
    "triggers:read",
    "vars:read",
    "vars:write",
    "webhooks:read",
    "webhooks:write",
]

SCOPES: frozenset[str] = frozenset(get_args(Scope))
_OF_KEYS = frozenset({"keys:read", "keys:write"})
_VIEWER = frozenset(scope for scope in SCOPES if scope.endswith(":read")) - _OF_KEYS
_OPERATOR = _VIEWER | {
    "actions:run",
    "approvals:decide",
    "connections:test",
    "schedules:operate",
    "triggers:cancel",
}
ROLES: Mapping[str, frozenset[str]] = {
    "viewer": _VIEWER,  # looks at everything but the keys; secrets are shown to nobody
    "operator": _OPERATOR,  # keeps going what others wrote: pause, skip, run, cancel, decide
    "editor": SCOPES - _OF_KEYS,  # writes actions, and what they use
    "admin": SCOPES,
}

# By method and path of the endpoint. One that is not here is closed to every key; those that need no key,
# but the token in their path, are the links of approvals and the calls of webhooks and of waiting stages.
NEEDED: Mapping[tuple[str, str], Scope] = {
    ("GET", "/v1/actions"): "actions:read",
    ("DELETE", "/v1/actions/{name}"): "actions:write",
    ("GET", "/v1/actions/{name}"): "actions:read",
    ("PUT", "/v1/actions/{name}"): "actions:write",
    ("GET", "/v1/actions/{name}/diff"): "actions:read",
    ("POST", "/v1/actions/{name}/rollback"): "actions:write",
    ("POST", "/v1/actions/{name}/run"): "actions:run",
    ("POST", "/v1/actions/{name}/test"): "actions:write",
    ("GET", "/v1/actions/{name}/versions"): "actions:read",
    ("GET", "/v1/actions/{name}/versions/{number}"): "actions:read",
    ("GET", "/v1/approvals"): "approvals:read",
    ("GET", "/v1/approvals/{approval_id}"): "approvals:read",
    ("POST", "/v1/approvals/{approval_id}/approve"): "approvals:decide",
    ("POST", "/v1/approvals/{approval_id}/reject"): "approvals:decide",
    ("GET", "/v1/calendars"): "calendars:read",
    ("DELETE", "/v1/calendars/{name}"): "calendars:write",
    ("GET", "/v1/calendars/{name}"): "calendars:read",
    ("PUT", "/v1/calendars/{name}"): "calendars:write",
    ("GET", "/v1/calendars/{name}/dates"): "calendars:read",
    ("GET", "/v1/connections"): "connections:read",
    ("DELETE", "/v1/connections/{name}"): "connections:write",
    ("GET", "/v1/connections/{name}"): "connections:read",
    ("PUT", "/v1/connections/{name}"): "connections:write",
    ("POST", "/v1/connections/{name}/test"): "connections:test",
    ("GET", "/v1/events"): "events:read",
    ("GET", "/v1/keys"): "keys:read",
    ("POST", "/v1/keys"): "keys:write",
    ("DELETE", "/v1/keys/{key}"): "keys:write",
    ("GET", "/v1/limits"): "limits:read",
    ("GET", "/v1/schedules"): "schedules:read",
    ("POST", "/v1/schedules/preview"): "schedules:read",
    ("DELETE", "/v1/schedules/{name}"): "schedules:write",
    ("GET", "/v1/schedules/{name}"): "schedules:read",
    ("PUT", "/v1/schedules/{name}"): "schedules:write",
    ("GET", "/v1/schedules/{name}/backfills"): "schedules:read",
    ("POST", "/v1/schedules/{name}/backfills"): "schedules:operate",
    ("GET", "/v1/schedules/{name}/backfills/{backfill}"): "schedules:read",
    ("POST", "/v1/schedules/{name}/backfills/{backfill}/cancel"): "schedules:operate",
    ("GET", "/v1/schedules/{name}/catchup"): "schedules:read",
    ("POST", "/v1/schedules/{name}/catchup/approve"): "schedules:operate",
    ("POST", "/v1/schedules/{name}/catchup/decline"): "schedules:operate",
    ("GET", "/v1/schedules/{name}/fires"): "schedules:read",
    ("DELETE", "/v1/schedules/{name}/fires/{due}"): "schedules:operate",
    ("POST", "/v1/schedules/{name}/fires/{due}/inputs"): "schedules:operate",
    ("POST", "/v1/schedules/{name}/fires/{due}/move"): "schedules:operate",
    ("POST", "/v1/schedules/{name}/fires/{due}/skip"): "schedules:operate",
    ("POST", "/v1/schedules/{name}/pause"): "schedules:operate",
    ("POST", "/v1/schedules/{name}/resume"): "schedules:operate",
    ("GET", "/v1/schedules/{name}/stats"): "schedules:read",
    ("POST", "/v1/schedules/{name}/trigger"): "schedules:operate",
    ("GET", "/v1/schedules/{name}/upcoming"): "schedules:read",
    ("GET", "/v1/schedules/{name}/why"): "schedules:read",
    ("GET", "/v1/secrets"): "secrets:read",
    ("DELETE", "/v1/secrets/{name}"): "secrets:write",
    ("GET", "/v1/secrets/{name}"): "secrets:read",
    ("PUT", "/v1/secrets/{name}"): "secrets:write",
    ("GET", "/v1/triggers"): "triggers:read",
    ("GET", "/v1/triggers/{trigger_id}"): "triggers:read",
    ("POST", "/v1/triggers/{trigger_id}/rerun"): "actions:run",
    ("POST", "/v1/triggers/{trigger_id}/cancel"): "triggers:cancel",
    ("GET", "/v1/triggers/{trigger_id}/events"): "triggers:read",
    ("GET", "/v1/triggers/{trigger_id}/log"): "triggers:read",
    ("GET", "/v1/triggers/{trigger_id}/outputs"): "triggers:read",
    ("GET", "/v1/triggers/{trigger_id}/stages/{stage}/values/{value}"): "triggers:read",
    ("GET", "/v1/triggers/{trigger_id}/stages/{stage}/items/{item}/values/{value}"): "triggers:read",
    ("GET", "/v1/triggers/{trigger_id}/stages/{stage}/items"): "triggers:read",
    ("POST", "/v1/validate"): "actions:read",
    ("GET", "/v1/vars"): "vars:read",
    ("DELETE", "/v1/vars/{name}"): "vars:write",
    ("GET", "/v1/vars/{name}"): "vars:read",
    ("PUT", "/v1/vars/{name}"): "vars:write",
    ("GET", "/v1/webhooks"): "webhooks:read",
    ("DELETE", "/v1/webhooks/{name}"): "webhooks:write",
    ("GET", "/v1/webhooks/{name}"): "webhooks:read",
    ("PUT", "/v1/webhooks/{name}"): "webhooks:write",
    ("POST", "/v1/webhooks/{name}/rotate"): "webhooks:write",
}


def scopes_of(role: str, chosen: JsonValue) -> frozenset[str]:
    """What a key with this role, and with these scopes of it, may; a role that nobody knows may nothing."""
    known = ROLES.get(role, frozenset())
    return (
        known if chosen is None else known & frozenset(map(str, chosen if isinstance(chosen, list) else ()))
    )


def require_scope(scopes: frozenset[str], method: str, path: str) -> None:
    """Raise Forbidden unless a key with these scopes may ask this of the endpoint of that path."""
    needed = NEEDED.get((method, path))
    if needed is None:
        raise Forbidden("no API key may do this")
    if needed not in scopes:
        raise Forbidden(f"this API key lacks the scope {needed}; {_hint(needed)}")


def _hint(needed: str) -> str:
    roles = [role for role, scopes in ROLES.items() if needed in scopes]
    return f"a key of role {' or '.join(roles)} has it" if roles else ""
