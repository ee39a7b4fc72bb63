"""Records the histories that must replay for ever: `python -m tests.workflows.record [SCENARIO …]`.

Run it for a new scenario, or together with a `patched()` in a workflow; a history that was ever released
is kept beside the new one, under a name of its own.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from tests.servers import temporal
from tests.workflows.scenarios import SCENARIOS
from tests.workflows.stand import make_stand

HISTORIES = Path(__file__).parent / "histories"


async def record(address: str, name: str) -> None:
    """Write the history of one scenario."""
    stand = await make_stand(address)
    async with stand.serving():
        handle = await SCENARIOS[name](stand)
        history = await handle.fetch_history()
    document = {"id": handle.id, "history": _without_traces(history.to_json_dict())}
    text = json.dumps(document, indent=1).replace(stand.client.identity, "recorder")
    (HISTORIES / f"{name}.json").write_text(text + "\n")


def _without_traces(value: JsonValue) -> JsonValue:
    """The same without stack traces: they name folders of the machine that recorded it."""
    if isinstance(value, dict):
        return {key: _without_traces(one) for key, one in value.items() if key != "stackTrace"}
    return [_without_traces(one) for one in value] if isinstance(value, list) else value


def main(names: Sequence[str]) -> None:
    """Record the scenarios named, or all."""
    with temporal.running() as server:
        for name in names or SCENARIOS:
            asyncio.run(record(server.address, name))


if __name__ == "__main__":
    main(sys.argv[1:])
