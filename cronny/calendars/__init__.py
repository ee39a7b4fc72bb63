"""Calendars: named sets of dates that schedules fire on, leave out, or move off."""

from cronny.calendars.content import Content, load_content
from cronny.calendars.dates import CalendarDates, dates_of
from cronny.calendars.reading import read_calendar

__all__ = ["CalendarDates", "Content", "dates_of", "load_content", "read_calendar"]
