"""Lists as the API answers them."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

ItemT = TypeVar("ItemT")


class View(BaseModel):
    """What the API shows of something."""

    model_config = ConfigDict(frozen=True)


class Listing(View, Generic[ItemT]):
    """Everything there is, by name."""

    items: tuple[ItemT, ...]


class PageOf(View, Generic[ItemT]):
    """A part of a long list."""

    items: tuple[ItemT, ...]
    next: str | None = Field(None, description="The `cursor` of the following page; none on the last one.")
