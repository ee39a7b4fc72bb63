from dsl.needs import stages_needed
from tests.dsl.actions import action_of

EVERYWHERE = """
version: 1
name: everywhere
stages:
  - {id: a, uses: set, with: {values: {}}}
  - {id: b, uses: set, with: {values: {}}}
  - {id: c, uses: set, with: {values: {}}}
  - {id: d, uses: set, with: {values: {}}}
  - {id: e, uses: set, with: {values: {}}}
  - {id: f, uses: set, with: {values: {}}}
  - id: g
    uses: http
    when: stages.a.status == 'completed'
    with: {url: "https://example.com/${{ stages.b.output.x }}"}
    retry: {unless: stages.c.output.x == 1}
    output: ${{ stages.d.output }}
  - {id: h, uses: set, with: {values: {}}}
connectors:
  - {from: a, to: b}
  - {from: b, to: c}
  - {from: c, to: d}
  - {from: d, to: e}
  - {from: e, to: f}
  - {from: f, to: g, map: {x: "${{ stages.e.output.x }}"}}
  - {from: g, to: h, when: stages.f.output.x == 2, map: {y: "${{ stages.a.output }}"}}
"""


def test_a_stage_needs_what_its_expressions_and_its_connectors_name() -> None:
    needed = stages_needed(action_of(EVERYWHERE))
    assert (needed["g"], needed["h"]) == (frozenset("abcdefg"), frozenset("agh"))


def test_a_stage_of_a_chain_needs_itself_and_the_one_before_it() -> None:
    text = "version: 1\nname: chain\nstages:\n" + "".join(
        f"  - {{id: s{number}, uses: set, with: {{values: {{}}}}}}\n" for number in range(3)
    )
    assert stages_needed(action_of(text)) == {"s0": {"s0"}, "s1": {"s0", "s1"}, "s2": {"s1", "s2"}}
