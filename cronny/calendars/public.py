"""Public holidays of countries, from the `holidays` library, whose version the lock pins."""

from collections.abc import Mapping
from datetime import date
from functools import cache

from holidays import HolidayBase, country_holidays, list_supported_countries

from cronny.calendars.content import HolidaysContent


def find_holidays(wanted: HolidaysContent, year: int) -> Mapping[date, str]:
    """The holidays of a year with their names in the country's language."""
    found = country_holidays(
        wanted.country,
        subdiv=wanted.subdivision,
        years=year,
        expand=False,
        observed=wanted.observed,
        categories=wanted.categories or None,
    )
    return {day: name for day, name in found.items() if day.year == year}


@cache
def countries() -> Mapping[str, tuple[str, ...]]:
    """The subdivisions of each country that is known, by its ISO 3166 code."""
    known = list_supported_countries(include_aliases=False)
    return {country: tuple(map(str, parts)) for country, parts in known.items()}


@cache
def categories(country: str) -> tuple[str, ...]:
    """The categories of a country's holidays."""
    return tuple(_country(country).supported_categories)


def _country(country: str) -> HolidayBase:
    return country_holidays(country, expand=False)
