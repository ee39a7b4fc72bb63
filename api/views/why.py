"""What the API shows of an explanation."""

from datetime import datetime

from pydantic import Field

from api.views.listing import View
from api.views.trigger import TriggerView, view_trigger
from cronny.store.triggers import Entry
from cronny.why import Answer, Facts, Outcome
from dsl.describe import describe


class WhyView(View):
    """Why a schedule fired at some time, did not, or will."""

    schedule: str
    at: str = Field(description="The time as it was asked for.")
    sentence: str = Field(description="The answer, for people.")
    outcome: Outcome = Field(description="The answer, for programs.")
    due: datetime | None = Field(description="The fire it is about, if there is one.")
    count: int = Field(description="How many fires the answer is about.")
    nearest: tuple[datetime, ...] = Field(description="Where there is no fire, those before and after.")
    rule: str | None = Field(description="The rule in force at that time, in plain language.")
    trigger: TriggerView | None = Field(description="The row of the ledger, if there is one.")


def view_why(schedule: str, facts: Facts, answer: Answer, entry: Entry | None) -> WhyView:
    """An explanation, and what it rests on."""
    version = facts.past.version(answer.due or facts.asked.first)
    return WhyView(
        schedule=schedule,
        at=facts.asked.text,
        sentence=answer.sentence,
        outcome=answer.outcome,
        due=answer.due,
        count=answer.count,
        nearest=answer.nearest,
        rule=describe(version.schedule) if version is not None else None,
        trigger=view_trigger(entry) if entry is not None else None,
    )
