"""Plain language for schedules: a deterministic grammar whose errors point at a word.

A phrase is made of clauses, in any order, each at most once:

    every 5 minutes | every weekday | every 2 weeks | daily | hourly      the period
    on monday and thursday | on the 1st | on the last friday              days
    at 09:00 and 17:30 | at 9am | at noon                                 times
    between 09:00 and 17:00                                               a part of each day
    2026-12-24 18:00 | on 24 December 2026 | in 10 minutes                single fires
    0 9 * * mon-fri | @daily                                              cron text
    starting 2026-12-01 | until 2026-12-31 | 10 times                     bounds
    except friday and 2026-12-24 | only on trading_days                   what is left out
    moved to the next business day                                        where a lost day goes
    Europe/London                                                         the zone

Several rules stand beside one another with ';' between them; a part without a rule holds for all of them.
"""

from collections.abc import Iterator

from dsl.clauses import read_clauses
from dsl.cron import begins_cron, read_cron
from dsl.draft import Draft
from dsl.problems import Problem
from dsl.words import PhraseError, Words

MOST_RULES = 20  # in one schedule


def read_phrase(text: str) -> list[Draft]:
    """The rules that a phrase states, or a single draft that is none; raises `PhraseError`.

    What holds for all rules is in the first draft.
    """
    drafts = list(_parts(text))
    rules = [draft for draft in drafts if draft.is_rule] or drafts[:1]
    if len(rules) > MOST_RULES:
        raise PhraseError(Problem("rules", f"more than {MOST_RULES} rules", "write more schedules"))
    for draft in drafts:
        if draft is not rules[0]:
            rules[0].share(draft)
    return rules


def read_text(text: str, draft: Draft) -> None:
    """Read one rule, cron text or clauses, into the draft; raises `PhraseError`."""
    if begins_cron(text):
        read_cron_text(text, draft)
    else:
        read_clauses(Words(text), draft)


def read_cron_text(text: str, draft: Draft) -> None:
    """Read cron text, and clauses behind it, into the draft; raises `PhraseError`."""
    draft.cron, end = read_cron(text)
    draft.columns["cron"] = len(text) - len(text.lstrip()) + 1
    read_clauses(Words(" " * end + text[end:]), draft)


def _parts(text: str) -> Iterator[Draft]:
    begin = 0
    for part in text.split(";"):
        draft = Draft()
        read_text(" " * begin + part, draft)  # The spaces keep the columns those of the whole phrase.
        begin += len(part) + 1
        yield draft
