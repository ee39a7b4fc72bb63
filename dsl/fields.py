"""The fields of a schedule's structured form: which there are, and how each is read."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from itertools import islice

from dsl.draft import Draft
from dsl.phrases import read_at, read_clauses, read_every, read_on, read_phrase, read_zone
from dsl.problems import Problem, did_you_mean
from dsl.recurrence import Day, MonthDay, NthWeekday, Period, Weekday
from dsl.times import read_moment
from dsl.words import PhraseError, Word, Words

UNSUPPORTED = ("cron", "count", "jitter", "spread", "overlap", "complete_on", "calendars", "exclude")
_CHOICES = {
    "dst_gap": ("next", "skip"),
    "dst_overlap": ("first", "last", "both"),
    "catchup": ("all", "last", "none"),
}
_RULE_FIELDS = ("every", "on", "at", "timezone", "start", "end")
FIELDS = ("id", *_RULE_FIELDS, *_CHOICES, "inputs", "paused")
_ID = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
MAX_FIELDS = 200  # that are looked at; there are far fewer
_TYPED = (timedelta, date, time, Period, Weekday, MonthDay, NthWeekday)
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
    fields, wrong = _options(rules)
    if problems or wrong:
        return FieldsRead({}, problems + wrong)
    return FieldsRead(_rule(draft) | fields, [])


def _rule(draft: Draft) -> dict[str, object]:
    rule: dict[str, object] = {
        "every": draft.every,
        "on": draft.days(),
        "at": draft.at(),
        "timezone": draft.timezone,
        "start": draft.start,
        "end": draft.end,
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
        if not found and item.columns.keys() - {"on", "times"}:
            found = [Problem(name, "a list holds only days or times", "give a date or a zone alone")]
        problems += [replace(problem, where=f"{name}.{index}") for problem in found]
        days += item.on
        times += item.times
    if problems or not values:
        draft.unread.add(name)
        return problems or [Problem(name, "the list is empty", "leave it out, or name one")]
    _put_typed("on", tuple(days), draft)
    _put_typed("at", tuple(times), draft)
    return []


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


_READERS: dict[str, Callable[[Words, Draft], None]] = {
    "every": read_every,
    "on": read_on,
    "at": read_at,
    "timezone": read_zone,
    "start": _read_bound("start"),
    "end": _read_bound("end"),
}
_EXAMPLES = {
    "every": "'5 minutes' or 'week'",
    "on": "'monday' or 'the 1st'",
    "at": "'09:00'",
    "timezone": "'Europe/London'",
    "start": "'2026-12-24'",
    "end": "'2026-12-24'",
}


def _options(given: Mapping[object, object]) -> tuple[dict[str, object], list[Problem]]:
    """The fields beside the rule, and the problems of those that are wrong."""
    options = {
        name: given[name] for name in ("id", *_CHOICES, "inputs", "paused") if given.get(name) is not None
    }
    problems = [problem for name, value in options.items() if (problem := _option_problem(name, value))]
    return options, problems


def _option_problem(name: str, value: object) -> Problem | None:
    if name in _CHOICES:
        if value in _CHOICES[name]:
            return None
        what = "must be one of " + ", ".join(_CHOICES[name])
        return Problem(name, what, did_you_mean(str(value).lower()[:40], _CHOICES[name]))
    if name == "paused":
        return None if isinstance(value, bool) else Problem(name, "must be true or false")
    if name == "inputs":
        is_mapping = isinstance(value, dict) and all(isinstance(key, str) for key in value)
        return None if is_mapping else Problem(name, "must be a mapping of names to values")
    if isinstance(value, str) and _ID.fullmatch(value):
        return None
    return Problem(
        name, "an id begins with a letter and has lower-case letters, digits and '_'", "at most 63 characters"
    )
