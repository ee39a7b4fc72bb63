"""What a tenant does through the API."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

WAIT_LIMIT = 60.0  # seconds

Seen = TypeVar("Seen")


@dataclass(frozen=True)
class TenantClient:
    """A tenant and its key."""

    slug: str
    http: httpx.Client

    def put_action(self, name: str, text: str) -> dict[str, Any]:
        """Upload an action's YAML."""
        return _answer(self.http.put(f"/v1/actions/{name}", content=text))

    def put_connection(self, name: str, kind: str, **settings: Any) -> dict[str, Any]:
        """Upload a connection."""
        return _answer(self.http.put(f"/v1/connections/{name}", json={"kind": kind, "settings": settings}))

    def put_schedule(self, name: str, **fields: Any) -> dict[str, Any]:
        """Upload a schedule."""
        return _answer(self.http.put(f"/v1/schedules/{name}", json=fields))

    def start(self, action: str, **inputs: Any) -> dict[str, Any]:
        """Run an action now."""
        return _answer(self.http.post(f"/v1/actions/{action}/run", json={"inputs": inputs}))

    def run(self, action: str, **inputs: Any) -> dict[str, Any]:
        """Run an action now and wait for its end."""
        return self.ended(self.start(action, **inputs)["id"])

    def pause(self, schedule: str, note: str, until: str | None = None) -> dict[str, Any]:
        """Pause a schedule."""
        wish = {"note": note, "until": until}
        return _answer(self.http.post(f"/v1/schedules/{schedule}/pause", json=wish))

    def schedule(self, name: str) -> dict[str, Any]:
        """A schedule as it stands."""
        return _answer(self.http.get(f"/v1/schedules/{name}"))

    def trigger(self, trigger_id: str) -> dict[str, Any]:
        """A trigger with its stages."""
        return _answer(self.http.get(f"/v1/triggers/{trigger_id}"))

    def triggers(self, schedule: str | None = None, state: str | None = None) -> list[dict[str, Any]]:
        """All ledger rows that match, over all pages."""
        wanted = {"schedule": schedule, "state": state, "limit": 200}
        query: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
        rows: list[dict[str, Any]] = []
        while True:
            page = _answer(self.http.get("/v1/triggers", params=query))
            rows += page["items"]
            if not page["next"]:
                return rows
            query["cursor"] = page["next"]

    def cancel(self, trigger_id: str, note: str = "", *, force: bool = False) -> dict[str, Any]:
        """End a trigger."""
        wish = {"note": note, "force": force}
        return _answer(self.http.post(f"/v1/triggers/{trigger_id}/cancel", json=wish))

    def items(self, trigger_id: str, stage_id: str, **query: Any) -> dict[str, Any]:
        """A page of the items of a stage."""
        return _answer(self.http.get(f"/v1/triggers/{trigger_id}/stages/{stage_id}/items", params=query))

    def ended(self, trigger_id: str) -> dict[str, Any]:
        """A trigger, once it has ended."""
        ends = ("scheduled", "executing")
        return until(lambda: self.trigger(trigger_id), lambda trigger: trigger["state"] not in ends)

    def first_ended(self, schedule: str) -> dict[str, Any]:
        """The first trigger of a schedule that has ended, with its stages."""
        rows = until(lambda: [row for row in self.triggers(schedule) if row["finished"]], bool)
        return self.trigger(rows[-1]["id"])


def stage(trigger: Mapping[str, Any], stage_id: str) -> dict[str, Any]:
    """The record of one stage of a trigger."""
    found: Sequence[dict[str, Any]] = [one for one in trigger["stages"] if one["id"] == stage_id]
    assert found, f"no stage {stage_id} in {trigger['stages']}"
    return found[0]


def until(look: Callable[[], Seen], is_enough: Callable[[Seen], bool], limit: float = WAIT_LIMIT) -> Seen:
    """What `look` gives once it is enough; fails with the last look after the limit."""
    deadline = time.monotonic() + limit
    while True:
        seen = look()
        if is_enough(seen):
            return seen
        assert time.monotonic() < deadline, f"not within {limit} s: {seen}"
        time.sleep(0.1)


def _answer(response: httpx.Response) -> dict[str, Any]:
    assert response.is_success, f"{response.request.method} {response.request.url}: {response.text}"
    body: dict[str, Any] = response.json()
    return body
