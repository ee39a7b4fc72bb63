"""Who uses what a tenant keeps, and deleting it all the same."""

from typing import Annotated, Any

import typer

Force = Annotated[
    bool, typer.Option("--force", help="Delete it although actions use it; their stages fail from now on.")
]


def users(thing: Any) -> str:
    """The actions that use it, with their stages."""
    return ", ".join(
        f"{one['action']} ({', '.join(one['stages'])})" if one["stages"] else one["action"]
        for one in thing["used_by"]
    )
