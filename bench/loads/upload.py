"""How long the check of an uploaded action of forty stages takes, in this process."""

import statistics
import time
from collections.abc import Iterable

from activities.stages.catalogue import KINDS
from bench.report import Row
from dsl.check import check_text

STAGES = 40
TIMES = 50
STAGE = """\
  - id: s{number}
    uses: http
    when: inputs.region != "none"
    with: {{url: "https://api.example.com/${{{{ inputs.region }}}}/{number}", expect_status: 2xx}}
    retry: {{max_attempts: 3, delay: 2s}}
"""
HEAD = "version: 1\nname: upload\ninputs: {region: {type: string, default: eu}}\nstages:\n"


def upload() -> Iterable[Row]:
    """Median and slowest of some checks."""
    text = HEAD + "".join(STAGE.format(number=number) for number in range(STAGES))
    assert not check_text(text, KINDS, None).problems
    took = [_timed(text) for _ in range(TIMES)]
    row = Row("upload of 40 stages", "cronny")
    row.add(p50_ms=statistics.median(took), worst_ms=max(took))
    return [row]


def _timed(text: str) -> float:
    began = time.perf_counter()
    check_text(text, KINDS, None)
    return (time.perf_counter() - began) * 1000
