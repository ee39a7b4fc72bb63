"""What the language must know of a stage kind; the kinds themselves live in `activities.stages`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

ConnectionUse = Literal["none", "optional", "required"]


@dataclass(frozen=True)
class KindSpec:
    """A kind of stage as the checker sees it: the model of its `with:` block and its use of a connection."""

    name: str
    with_model: type[BaseModel]
    connection: ConnectionUse
    is_pure: bool


Catalogue = Mapping[str, KindSpec]
