"""The fields of a schedule's structured form: which there are, and how each is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import islice

from dsl.clauses import read_at, read_between, read_clauses, read_every, read_on, read_zone
from dsl.draft import Draft
from dsl.exclusions import MOST, Excluded, read_excluded
from dsl.options import OPTIONS, Calendars, read_options
from dsl.phrases import MOST_RULES, read_cron_text, read_phrase, read_text
from dsl.problems import Problem, did_you_mean
from dsl.recurrence import Between, BusinessDay, DateRange, MonthDay, NthWeekday, Period, Weekday
from dsl.rule import Rule
from dsl.times import read_moment
from dsl.words import PhraseError, Word, Words

RULE_FIELDS = ("every", "on", "at", "between", "cron")
_SHARED_FIELDS = ("timezone", "start", "end", "exclude")
FIELDS = ("id", *RULE_FIELDS, "rules", *_SHARED_FIELDS, *(name for name in OPTIONS if name != "id"))
MAX_FIELDS = 200  # that are looked at; there are far fewer
_TYPED = (timedelta, date, time, Period, Between, Weekday, MonthDay, NthWeekday, BusinessDay, DateRange)
_NOWHERE = Word("", "", 1)


@dataclass(frozen=True)
class FieldsRead:
    """The typed fields of a schedule, and what is wrong with what was given."""

    fields: dict[str, object]
    problems: list[Problem]


def read_fields(given: Mapping[object, object], *, is_phrase: bool = False) -> FieldsRead:
    """The typed fields of a mapping; with `is_phrase`, its only field is a whole phrase."""
    if is_phrase:
        try:
            drafts = read_phrase(str(given["every"]))
        except PhraseError as error:
            return FieldsRead({}, [error.problem])
        is_alone = len(drafts) == 1
        problems = [each for draft in drafts for each in draft.settle(is_alone=is_alone)]
        problems += () if is_alone else drafts[0].ends()
        return _whole(drafts, drafts[0], {}, problems)
    problems = _refused(given, FIELDS)
    frame = Draft()
    is_single = given.get("rules") in (None, ())
    names = (*RULE_FIELDS, *_SHARED_FIELDS) if is_single else _SHARED_FIELDS
    problems += _read_rule_fields(names, given, frame)
    fields, wrong = read_options(given)
    problems += wrong
    if is_single:
        return _whole([frame], frame, fields, problems + frame.settle())
    problems += [
        Problem(name, "'rules' are there already", "write it as one of the rules")
        for name in RULE_FIELDS
        if given.get(name) not in (None, ())
    ]
    rules, wrong = _read_rules(given["rules"])
    return _whole(rules, frame, fields, [*problems, *wrong, *frame.ends()])


def _whole(
    drafts: list[Draft], frame: Draft, fields: dict[str, object], problems: list[Problem]
) -> FieldsRead:
    """The fields that drafts amount to, with what `frame` says for all of them."""
    calendars = _calendars(frame, fields.get("calendars"))
    if calendars.roll != "skip" and any(_is_elapsed(draft) for draft in drafts):
        problems.append(Problem("calendars", "an interval has no days to move", "leave 'roll' out"))
    if problems:
        return FieldsRead({}, problems)
    shared: dict[str, object] = {
        "timezone": frame.timezone,
        "start": frame.start,
        "end": frame.end,
        "count": frame.count,
        "exclude": frame.excluded.exclusions,
        "calendars": calendars,
    }
    rules = [Rule(**_rule(draft)) for draft in drafts]
    rule = _rule(drafts[0]) if len(rules) == 1 else {"rules": tuple(rules)}
    given = {name: value for name, value in shared.items() if value not in (None, (), Calendars())}
    return FieldsRead(fields | rule | given, [])


def _is_elapsed(draft: Draft) -> bool:
    return draft.delay is not None or (isinstance(draft.every, timedelta) and not draft.has("between"))


def _rule(draft: Draft) -> dict[str, object]:
    rule: dict[str, object] = {
        "every": draft.every,
        "on": draft.days(),
        "at": draft.at() if draft.cron is None else None,
        "between": draft.between,
        "cron": draft.cron,
    }
    return {name: value for name, value in rule.items() if value not in (None, ())}


def _calendars(draft: Draft, given: object) -> Calendars:
    """The calendars that the rule names together with those that stand beside it."""
    beside = given if isinstance(given, Calendars) else Calendars()
    return Calendars(
        tuple(dict.fromkeys((*beside.only, *draft.only))),
        tuple(dict.fromkeys((*beside.excluded, *draft.excluded.calendars))),
        draft.roll if draft.roll != "skip" else beside.roll,
    )


def _refused(given: Mapping[object, object], known: tuple[str, ...]) -> list[Problem]:
    """Fields that do not exist."""
    problems = []
    for name in islice(given, MAX_FIELDS):
        if name not in known:
            hint = did_you_mean(str(name)[:40], known) or f"the fields are {', '.join(known)}"
            problems.append(Problem(str(name)[:40], "there is no such field", hint, "unknown_field"))
    return problems


def _read_rules(value: object) -> tuple[list[Draft], list[Problem]]:
    """The drafts of a list of rules, each a phrase or a mapping of the fields of a rule."""
    items = list(value) if isinstance(value, list | tuple) else []
    if not items or len(items) > MOST_RULES:
        what = f"more than {MOST_RULES} rules" if items else "must be a list of rules"
        return [], [Problem("rules", what, "such as ['every day at 09:00', 'every monday at 17:00']")]
    drafts: list[Draft] = []
    problems: list[Problem] = []
    for index, item in enumerate(items):
        draft = Draft()
        found = _read_item(item, draft)
        for part, column in draft.shared().items():
            hint = "write it beside 'rules', where it holds for all of them"
            found.append(Problem(part, "a rule has none of its own", hint, column=column))
        problems += [_in_list(problem, index) for problem in found]
        if not found:
            drafts.append(draft)
    return drafts, problems


def _in_list(problem: Problem, index: int) -> Problem:
    where = f"rules.{index}" if problem.where == "schedule" else f"rules.{index}.{problem.where}"
    return replace(problem, where=where)


def _read_item(item: object, draft: Draft) -> list[Problem]:
    if isinstance(item, Rule):
        item = {name: getattr(item, name) for name in RULE_FIELDS}
    if isinstance(item, Mapping):
        problems = _refused(item, RULE_FIELDS) + _read_rule_fields(RULE_FIELDS, item, draft)
        return problems + draft.settle(is_alone=False)
    if not isinstance(item, str):
        return [Problem("every", "must be a text or a mapping", "such as 'every day at 09:00'")]
    try:
        read_text(item, draft)
    except PhraseError as error:
        return [error.problem]
    return draft.settle(is_alone=False)


def _read_rule_fields(names: tuple[str, ...], given: Mapping[object, object], draft: Draft) -> list[Problem]:
    problems: list[Problem] = []
    for name in names:
        if given.get(name) is not None:
            problems += _read_rule_field(name, given[name], draft)
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
    whole = Draft()
    for index, value in enumerate(values[:MOST]):
        item = Draft()
        text = _text(value)
        found = [Problem(name, "must be a text")] if text is None else _read_text(name, text, item)
        kinds = {"on"} if name == "on" else {"moments"} if whole.moments else {"times"}
        is_first_date = name == "at" and not whole.times and item.columns.keys() == {"moments"}
        if not found and item.columns.keys() != kinds and not is_first_date:
            thing = "days" if name == "on" else "dates" if whole.moments else "times"
            # Together they would fire on each day at each time.
            found = [Problem(name, f"this list holds {thing} only", "write two rules")]
        problems += [replace(problem, where=f"{name}.{index}") for problem in found]
        whole.on += item.on
        whole.times += item.times
        whole.moments += item.moments
    if len(values) > MOST:
        problems.append(Problem(name, f"more than {MOST} in one list", "write more schedules"))
    if problems or not values:
        draft.unread.add(name)
        return problems or [Problem(name, "the list is empty", "leave it out, or name one")]
    for part in ("on", "times", "moments"):
        if getattr(whole, part):
            draft.columns[part] = 1
            setattr(draft, part, getattr(whole, part))
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
        if name == "cron":
            read_cron_text(text, draft)
            return []
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
        values = value if isinstance(value, tuple) else (value,)
        part = "delay" if isinstance(value, timedelta) else "times"
        if values and all(isinstance(each, datetime) for each in values):
            part, value = "moments", values
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
    "between": read_between,
    "timezone": read_zone,
    "start": _read_bound("start"),
    "end": _read_bound("end"),
    "exclude": _read_exclude,
}
_EXAMPLES = {
    "every": "'5 minutes' or 'week'",
    "on": "'monday' or 'the 1st'",
    "at": "'09:00'",
    "between": "'09:00 and 17:00'",
    "cron": "'0 9 * * mon-fri'",
    "timezone": "'Europe/London'",
    "start": "'2026-12-24'",
    "end": "'2026-12-24'",
    "exclude": "'2026-12-24'",
}
