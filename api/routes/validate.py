"""Check an action without keeping it."""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.actions import validate_action
from api.body import ANY_TEXT, receive_bytes
from api.caller import COMMON, KnownCaller
from api.problem import refusals
from api.views.action import Verdict

router = APIRouter(prefix="/v1", tags=["actions"])


@router.post("/validate", responses=refusals(*COMMON), openapi_extra=ANY_TEXT)
async def validate(caller: KnownCaller, raw: Annotated[bytes, Depends(receive_bytes)]) -> Verdict:
    """Everything that is wrong with an action; answers 200 whatever was sent."""
    return await validate_action(caller, raw)
