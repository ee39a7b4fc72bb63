"""The code in the documents gives what is shown."""

import json

import pytest
from pydantic import JsonValue

from activities.stages.code import CODE
from tests.docs.blocks import Block, blocks
from tests.stages.contexts import run
from tools.docs.generated import DOCS

ORDERS: JsonValue = {"orders": [{"id": 1, "total": 9.5}, {"id": 2, "total": 0.5}]}
SHOWN = [
    block for block in blocks(DOCS / "code.md") if block.language in {"python", "javascript", "typescript"}
]


@pytest.mark.parametrize("block", SHOWN, ids=lambda block: block.place)
async def test_code_gives_what_is_shown(block: Block) -> None:
    fields = {"language": block.language, "source": block.text, "inputs": ORDERS}
    assert await run(CODE, fields) == json.loads(block.following)
