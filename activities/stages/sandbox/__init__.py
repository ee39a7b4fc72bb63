"""Runs a tenant's code in an interpreter that the operating system confines as well.

    worker ── nursery ─┬─ keeper ── monty     one keeper and one interpreter for each run
                       └─ keeper ── deno

The nursery is started once and forks; a keeper guards one run and ends with it. None of them has the worker's
memory, environment or files.
"""
