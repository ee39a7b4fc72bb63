"""The fields of a schedule's structured form: which there are, and how each is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from itertools import islice

from dsl.draft import Draft
from dsl.exclusions import MOST, Excluded, read_excluded
from dsl.options import OPTIONS, Calendars, read_options
from dsl.phrases import read_at, read_clauses, read_every, read_on, read_phrase, read_zone
from dsl.problems import Problem, did_you_mean
from dsl.recurrence import DateRange, Day, MonthDay, NthWeekday, Period, Weekday
from dsl.times import read_moment
from dsl.words import PhraseError, Word, Words

UNSUPPORTED = ("cron", "rules")
_RULE_FIELDS = ("every", "on", "at", "timezone", "start", "end", "exclude")
FIELDS = ("id", *_RULE_FIELDS, *(name for name in OPTIONS if name != "id"))
MAX_FIELDS = 200  # that are looked at; there are far fewer
_TYPED = (timedelta, date, time, Period, Weekday, MonthDay, NthWeekday, DateRange)
_NOWHERE = Word("", "", 1)


@dataclass(frozen=True)
class FieldsRead:
    """The typed fields of a schedule, and what is wrong with what was given."""

    fields: dict[str, object]
    problems: list[Problem]


def read_fields(given: Mapping[object, object], *, is_phrase: bool = False) -> FieldsRead:
    """The typed fields of a mapping; with `is_phrase`, its only field is a whole phrase."""
    draft, problems = Draft(), _refused(given)
    if "cron" in given:
        draft.unread.add("every")
    try:
        if is_phrase:
            draft = read_phrase(str(given["every"]))
    except PhraseError as error:
        return FieldsRead({}, [error.problem])
    rules = {} if is_phrase else given
    for name in _RULE_FIELDS:
        if rules.get(name) is not None:
            problems += _read_rule_field(name, rules[name], draft)
    problems += draft.settle()
    fields, wrong = read_options(rules)
    if problems or wrong:
        return FieldsRead({}, problems + wrong)
    if draft.excluded.calendars or draft.only or draft.roll != "skip":
        fields["calendars"] = _calendars(draft, fields.get("calendars"))
    return FieldsRead(_rule(draft) | fields, [])


def _calendars(draft: Draft, given: object) -> Calendars:
    """The calendars that the rule names together with those that stand beside it."""
    beside = given if isinstance(given, Calendars) else Calendars()
    return Calendars(
        tuple(dict.fromkeys((*beside.only, *draft.only))),
        tuple(dict.fromkeys((*beside.excluded, *draft.excluded.calendars))),
        draft.roll if draft.roll != "skip" else beside.roll,
    )


def _rule(draft: Draft) -> dict[str, object]:
    rule: dict[str, object] = {
        "every": draft.every,
        "on": draft.days(),
        "at": draft.at(),
        "timezone": draft.timezone,
        "start": draft.start,
        "end": draft.end,
        "count": draft.count,
        "exclude": draft.excluded.exclusions,
    }
    return {name: value for name, value in rule.items() if value not in (None, ())}


def _refused(given: Mapping[object, object]) -> list[Problem]:
    """Fields that do not exist, or not yet."""
    problems = []
    for name in islice(given, MAX_FIELDS):
        if name in UNSUPPORTED:
            problems.append(Problem(str(name), "not supported yet", code="not_supported"))
        elif name not in FIELDS:
            hint = did_you_mean(str(name)[:40], FIELDS) or f"the fields are {', '.join(FIELDS)}"
            problems.append(Problem(str(name)[:40], "there is no such field", hint, "unknown_field"))
    return problems


def _read_rule_field(name: str, value: object, draft: Draft) -> list[Problem]:
    if _is_typed(value):
        _put_typed(name, value, draft)
        return []
    if isinstance(value, list) and name == "exclude":
        return _read_exclusions(value, draft)
    if isinstance(value, list) and name in {"on", "at"}:
        return _read_list(name, value, draft)
    text = _text(value)
    if text is None:
        draft.unread.add(name)
        return [Problem(name, "must be a text", "such as " + _EXAMPLES[name])]
    return _read_text(name, text, draft)


def _read_list(name: str, values: list[object], draft: Draft) -> list[Problem]:
    """Each item on its own, so that all their problems are found; then all items as one."""
    problems: list[Problem] = []
    days: list[Day] = []
    times: list[time] = []
    for index, value in enumerate(values):
        item = Draft()
        text = _text(value)
        found = [Problem(name, "must be a text")] if text is None else _read_text(name, text, item)
        if not found and item.columns.keys() != {"on" if name == "on" else "times"}:
            thing = "days" if name == "on" else "times"  # Together they would fire on each day at each time.
            found = [Problem(name, f"this list holds {thing} only", "write two schedules")]
        problems += [replace(problem, where=f"{name}.{index}") for problem in found]
        days += item.on
        times += item.times
    if problems or not values:
        draft.unread.add(name)
        return problems or [Problem(name, "the list is empty", "leave it out, or name one")]
    _put_typed("on", tuple(days), draft)
    _put_typed("at", tuple(times), draft)
    return []


def _read_exclusions(values: list[object], draft: Draft) -> list[Problem]:
    problems: list[Problem] = []
    excluded = Excluded()
    for index, value in enumerate(values[:MOST]):
        item = Draft()
        text = _text(value)
        found = [Problem("exclude", "must be a text")] if text is None else _read_text("exclude", text, item)
        problems += [replace(problem, where=f"exclude.{index}") for problem in found]
        excluded += item.excluded
    if len(values) > MOST:
        problems.append(Problem("exclude", f"more than {MOST} days and dates", "make a calendar of them"))
    draft.columns["excluded"], draft.excluded = 1, excluded
    return problems


def _read_text(name: str, text: str, draft: Draft) -> list[Problem]:
    try:
        words = Words(text)
        if not words:
            raise words.error(_NOWHERE, name, "the text is empty", "such as " + _EXAMPLES[name])
        _READERS[name](words, draft)
        read_clauses(words, draft)
    except PhraseError as error:
        draft.unread.add(name)
        return [error.problem]
    return []


def _put_typed(name: str, value: object, draft: Draft) -> None:
    part = name
    if name == "exclude" and isinstance(value, tuple):
        part, value = "excluded", Excluded(value) if value else ()
    if name == "at":
        part = "times" if isinstance(value, tuple) else "delay" if isinstance(value, timedelta) else "instant"
    if value != ():
        draft.columns[part] = 1
        setattr(draft, part, value)


def _is_typed(value: object) -> bool:
    parts = value if isinstance(value, tuple) else (value,)
    return all(isinstance(part, _TYPED) for part in parts)


def _text(value: object) -> str | None:
    """The text of a scalar; YAML reads `on: 1` and `at: 9` as numbers."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def _read_bound(name: str) -> Callable[[Words, Draft], None]:
    def read(words: Words, draft: Draft) -> None:
        word = words.peek()
        draft.put(name, read_moment(words, name, at=True), word, words)

    return read


def _read_exclude(words: Words, draft: Draft) -> None:
    word = words.peek()
    draft.put("excluded", read_excluded(words), word, words)


_READERS: dict[str, Callable[[Words, Draft], None]] = {
    "every": read_every,
    "on": read_on,
    "at": read_at,
    "timezone": read_zone,
    "start": _read_bound("start"),
    "end": _read_bound("end"),
    "exclude": _read_exclude,
}
_EXAMPLES = {
    "every": "'5 minutes' or 'week'",
    "on": "'monday' or 'the 1st'",
    "at": "'09:00'",
    "timezone": "'Europe/London'",
    "start": "'2026-12-24'",
    "end": "'2026-12-24'",
    "exclude": "'2026-12-24'",
}
