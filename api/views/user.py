"""Who uses what a tenant keeps."""

from collections.abc import Sequence

from pydantic import Field

from api.views.listing import View


class UserView(View):
    """An action that uses it, in its newest version."""

    action: str
    stages: tuple[str, ...] = Field(description="Its stages that do; none if only connectors or outputs do.")


def name_users(users: Sequence[UserView]) -> str:
    """`'ping' (stage tell), 'pong'`, for people."""
    return ", ".join(f"'{user.action}'{_stages(user)}" for user in users)


def _stages(user: UserView) -> str:
    noun = "stage" if len(user.stages) == 1 else "stages"
    return f" ({noun} {', '.join(user.stages)})" if user.stages else ""
