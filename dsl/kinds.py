"""What the language must know of a stage kind; the kinds themselves live in `activities.stages`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    is_harmless: bool = field(default=False, kw_only=True)  #: It changes nothing outside, though no pure one.
    is_waiting: bool = field(default=False, kw_only=True)  #: It waits in the workflow and holds no slot.


Catalogue = Mapping[str, KindSpec]
