"""Pure time: what a schedule's rule says, without a clock."""
