"""Whether the names of an expression exist and have a value where it stands."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dsl.outside import NOUNS, Outside, is_outside_name
from dsl.problems import did_you_mean, known_hint
from dsl.references import Reference
from dsl.scopes import STAGE_FIELDS, TRIGGER_FIELDS, roots_in
from dsl.sites import Site
from dsl.sketch import Sketch

# Roots of the language that have a value in some places only, and what to do elsewhere.
_PLACED = {
    "secrets": ("secrets are to be had inside 'with' only", "use it in the 'with' of a stage", "scope"),
    "output": ("there is no 'output' here", "write stages.<id>.output, or input", "scope"),
    "error": ("there is no 'error' here", "write stages.<id>.error", "scope"),
    "attempt": ("there is no 'attempt' here", "write stages.<id>.attempts", "scope"),
    "input": ("there is no 'input' here", "write stages.<id>.output", "scope"),
    "item": (
        "there is no 'item' here",
        "only a stage with 'foreach' has items, named by 'item_as'",
        "scope",
    ),
    "index": ("there is no 'index' here", "only a stage with 'foreach' has items", "scope"),
    "status": ("there is no 'status' here", "write stages.<id>.status", "scope"),
}


@dataclass(frozen=True)
class Fault:
    """What is wrong with a name, at an offset of its expression."""

    offset: int
    what: str
    hint: str = ""
    code: str = "expression"


def name_faults(
    found: Iterable[Reference], site: Site, sketch: Sketch, outside: Outside | None
) -> Iterator[Fault]:
    """The faults of the references of one expression; `outside` is what the tenant has, if that is known."""
    roots = roots_in(site.situation) | dict(site.more).keys()
    if site.takes_secrets:
        roots |= {"secrets"}
    for reference in found:
        match reference.root:
            case "stages":
                yield from _stage_faults(reference, site, sketch)
            case "inputs":
                hint = known_hint("inputs", sketch.inputs) or "declare it under 'inputs'"
                yield from _field_faults(reference, sketch.inputs, "there is no input", hint)
            case "trigger":
                hint = known_hint("fields", TRIGGER_FIELDS)
                yield from _field_faults(reference, TRIGGER_FIELDS, "a trigger has no", hint)
            case root if root in _PLACED and root not in roots:
                yield Fault(reference.offsets[0], *_PLACED[root])
            case "vars" | "secrets":
                yield from _outside_faults(reference, outside)
            case root if root in roots and reference.is_tested and len(reference.parts) == 1:
                yield _tested(reference)


def _stage_faults(reference: Reference, site: Site, sketch: Sketch) -> Iterator[Fault]:
    parts, offsets = reference.parts, reference.offsets
    if len(parts) < 3:
        yield Fault(offsets[0], f"'{reference}' is no value", "write stages.<id>.output")
        return
    stage = str(parts[1])
    if stage not in sketch.every_id:
        hint = did_you_mean(stage, sketch.every_id) or known_hint("stages", sketch.every_id)
        yield Fault(offsets[1], f"there is no stage '{stage}'", hint, "unknown_stage")
    elif stage not in site.stages:
        yield Fault(offsets[1], *_not_upstream(stage, site, sketch), "not_upstream")
    if parts[2] not in STAGE_FIELDS:
        hint = did_you_mean(str(parts[2]), STAGE_FIELDS) or known_hint("fields", STAGE_FIELDS)
        yield Fault(offsets[2], f"a stage has no '{parts[2]}'", hint, "unknown_field")
    elif reference.is_tested and len(parts) == 3:
        yield _tested(reference)


def _not_upstream(stage: str, site: Site, sketch: Sketch) -> tuple[str, str]:
    owner = site.owner
    if site.situation == "concurrency":
        return "no stage has begun here", "a key is made of inputs and trigger"
    if stage in sketch.beside and owner not in sketch.beside:
        what = f"stage '{stage}' is executed for each failed attempt of another"
        return what, "nothing waits for it, so that its result is not seen here"
    if stage not in sketch.ids:
        is_handler = owner and owner not in sketch.ids
        seen = "a handler sees the graph and those before it" if is_handler else "the graph does not see it"
        return f"stage '{stage}' is executed behind the graph", f"{seen} in its list" if is_handler else seen
    if not owner:
        return "a default sees no stages", "write it at the stage itself"
    if owner == stage:
        return f"stage '{stage}' has not ended here", "a stage sees what is upstream of it"
    hint = f"'{owner}' sees what must have ended before it"
    return f"stage '{stage}' is not upstream of '{owner}'", hint


def _field_faults(reference: Reference, known: Iterable[str], what: str, hint: str) -> Iterator[Fault]:
    names = list(known)
    if len(reference.parts) < 2:
        yield Fault(reference.offsets[0], f"'{reference.root}' is no value", f"write {reference.root}.<name>")
    elif (name := str(reference.parts[1])) not in names:
        code = "unknown_input" if reference.root == "inputs" else "unknown_field"
        yield Fault(reference.offsets[1], f"{what} '{name}'", did_you_mean(name, names) or hint, code)
    elif reference.is_tested and len(reference.parts) == 2:
        yield _tested(reference)


def _outside_faults(reference: Reference, outside: Outside | None) -> Iterator[Fault]:
    root, noun = reference.root, NOUNS[reference.root]
    if len(reference.parts) < 2:
        yield Fault(reference.offsets[0], f"'{root}' is no value", f"write {root}.<name>")
        return
    name, offset = str(reference.parts[1]), reference.offsets[1]
    if not is_outside_name(name):
        hint = "use letters, digits and '_', and no reserved word"
        yield Fault(offset, f"'{name[:60]}' cannot be the name of a {noun}", hint)
    elif outside is not None and name not in outside.of(root):
        yield Fault(offset, f"there is no {noun} '{name}'", _nearest(name, root, outside), f"unknown_{noun}")
    elif reference.is_tested and len(reference.parts) == 2:
        yield _tested(reference)


def _nearest(name: str, root: str, outside: Outside) -> str:
    known = sorted(outside.of(root))
    same = [one for one in known if one.lower() == name.lower()]
    return (
        f"did you mean '{same[0]}'?" if same else did_you_mean(name, known)
    ) or f"set it with `cronny {root} set {name}`"


def _tested(reference: Reference) -> Fault:
    # The engine takes has(a.b) for a field b of a; for a variable it would give its value.
    hint = f"write {reference} != null"
    return Fault(reference.offsets[0], f"'{reference}' is always there", hint)
