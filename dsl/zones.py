"""Time zones, from the pinned `tzdata` package only."""

import zoneinfo
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo

# The zone files of a machine differ by its age: with them, two workers could compute two dues for one fire.
zoneinfo.reset_tzpath(to=())
ZoneInfo.clear_cache()

_NOT_PLACES = {"Factory", "localtime", "posixrules"}
_PLACE_HINT = "name a place, such as 'Europe/London', or 'UTC'"


def zone(name: str) -> ZoneInfo:
    """The rules of a zone that `find_zone` knows."""
    return ZoneInfo(name)


def find_zone(name: str) -> str | None:
    """The zone's name as the database spells it, whatever the case of `name`."""
    return _zones().get(name.casefold())


def zone_hint(*names: str) -> str:
    """What to write instead of an unknown zone: the closest one to any of `names`, or how zones are named."""
    for name in names:
        wanted = name.casefold().replace(" ", "_")
        if wanted in _places():
            return f"did you mean '{_places()[wanted]}'?"
        known = _places() if "/" not in wanted else _zones()
        close = get_close_matches(wanted, known, 1, 0.78)
        if close:
            return f"did you mean '{known[close[0]]}'?"
    return _PLACE_HINT


@cache
def _zones() -> dict[str, str]:
    return {name.casefold(): name for name in sorted(zoneinfo.available_timezones() - _NOT_PLACES)}


@cache
def _places() -> dict[str, str]:
    """Zones by their last part: `london` -> `Europe/London`."""
    names = [name for name in _zones().values() if "/" in name and not name.startswith("Etc/")]
    return {name.rsplit("/", 1)[-1].casefold(): name for name in reversed(names)}
