"""How answers are written."""

import json
from typing import Any

from starlette.responses import JSONResponse


class AsciiJson(JSONResponse):
    """JSON in ASCII only: lone surrogates are legal as escapes in a tenant's JSON, but in no UTF-8."""

    def render(self, content: Any) -> bytes:
        """The content as compact JSON."""
        return json.dumps(content, separators=(",", ":")).encode()
