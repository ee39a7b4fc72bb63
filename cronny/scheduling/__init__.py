"""Pure time: what a schedule's rule says, without a clock."""

from cronny.scheduling.compiled import Compiled, compile_schedule, never_fires, upcoming
from cronny.scheduling.datesets import DateSet
from cronny.scheduling.planned import planned

__all__ = ["Compiled", "DateSet", "compile_schedule", "never_fires", "planned", "upcoming"]
