"""How long the check of an uploaded action of forty stages takes, in this process.

Each time it is another action: compiled expressions are kept, and a second upload would find its own.
"""

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
    when: inputs.region_{round} != "none{number}"
    with:
      url: "https://api.example.com/${{{{ inputs.region_{round}.lower() }}}}/{number}"
      query: {{since: "${{{{ time.add(trigger.due, -{number}, 'day') }}}}"}}
      expect_status: 2xx
    retry: {{max_attempts: 3, delay: 2s}}
"""
HEAD = "version: 1\nname: upload\ninputs: {{region_{round}: {{type: string, default: eu}}}}\nstages:\n"


def upload() -> Iterable[Row]:
    """Median and slowest of some checks."""
    assert not check_text(_text(TIMES), KINDS, None).problems
    took = [_timed(_text(round)) for round in range(TIMES)]
    row = Row("upload of 40 stages", "cronny")
    row.add(p50_ms=statistics.median(took), worst_ms=max(took))
    return [row]


def _text(round: int) -> str:
    stages = "".join(STAGE.format(round=round, number=number) for number in range(STAGES))
    return HEAD.format(round=round) + stages


def _timed(text: str) -> float:
    began = time.perf_counter()
    check_text(text, KINDS, None)
    return (time.perf_counter() - began) * 1000
