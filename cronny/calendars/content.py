"""What a calendar holds, once its text was read: this is what the database keeps beside the text."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from cronny.calendars.recurring import Recurring
from cronny.errors import Conflict

Kind = Literal["dates", "ical", "holidays"]

MAX_DAYS = 10_000  # dates of one calendar that are written out: 27 years without a gap
FIRST_YEAR, LAST_YEAR = 1970, 2099  # what recurs, and the holidays of countries, is known in these years


class Part(BaseModel):
    """A part of a calendar."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ListedContent(Part):
    """Dates, each with its name or an empty text."""

    kind: Literal["dates"] = "dates"
    days: dict[date, str]


class IcalContent(Part):
    """The dates that the events of an iCalendar file cover."""

    kind: Literal["ical"] = "ical"
    days: dict[date, str]
    recurring: tuple[Recurring, ...] = ()


class HolidaysContent(Part):
    """The public holidays of a country."""

    kind: Literal["holidays"] = "holidays"
    country: str
    subdivision: str | None = None
    categories: tuple[str, ...] = ()
    observed: bool = True


Content = Annotated[ListedContent | IcalContent | HolidaysContent, Field(discriminator="kind")]
_CONTENT: TypeAdapter[Content] = TypeAdapter(Content)


def load_content(model: JsonValue) -> Content:
    """The content that the database has kept; raises Conflict when this Cronny cannot read it any more."""
    try:
        return _CONTENT.validate_python(model)
    except ValueError:
        raise Conflict("this version of Cronny cannot read the stored calendar; set it again") from None
