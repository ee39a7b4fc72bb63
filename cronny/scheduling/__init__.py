"""Pure time: what a schedule's rule says, without a clock."""

from cronny.scheduling.compiled import Compiled, compile_schedule, never_fires, upcoming

__all__ = ["Compiled", "compile_schedule", "never_fires", "upcoming"]
