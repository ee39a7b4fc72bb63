"""Calendars: named sets of dates that schedules fire on, leave out, or move off."""

from cronny.calendars.content import Content, load_content
from cronny.calendars.dates import Dates, dates_of
from cronny.calendars.reading import read_calendar

__all__ = ["Content", "Dates", "dates_of", "load_content", "read_calendar"]
