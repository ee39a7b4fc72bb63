"""Check every expression of an action: the names it uses, its types, its place."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import JsonValue

from dsl.cel import MAX_LENGTH, compile_expression
from dsl.document import Path, child_of
from dsl.names import name_faults
from dsl.outside import Outside, outside_types
from dsl.references import Reference, references
from dsl.report import Report
from dsl.scopes import Scope, Situation, make_scope, with_more
from dsl.sites import Site, sites_of
from dsl.sketch import Sketch
from dsl.templates import Expression, TemplateError, parse_template, templates_in

STATIC_FIELDS = frozenset({"sql", "source"})  # their values travel beside them, as parameters
_ARTICLES = {"int": "a whole number", "double": "a number", "string": "a text", "map": "a mapping"}


def check_expressions(sketch: Sketch, outside: Outside | None, report: Report) -> None:
    """Report what is wrong with any expression; `outside` is what the tenant has, if that is known."""
    _refuse_elsewhere(sketch, report)
    checker = _Checker(sketch, outside, report)
    for site in sites_of(sketch):
        if site.is_condition:
            checker.check_condition(site)
        else:
            checker.check_templates(site)


def _refuse_elsewhere(sketch: Sketch, report: Report) -> None:
    """Where values stand that nobody evaluates, an expression would be taken for a text."""
    raw = sketch.raw
    for stage in (*sketch.every_stage, *sketch.undos):
        for path, text in templates_in(stage.raw.get("connection"), (*stage.path, "connection")):
            report.add_inside(path, text.index("${{"), "a connection is named, not computed")
    places: list[tuple[Path, JsonValue]] = [
        (("inputs",), raw.get("inputs")),
        (("schedule", "inputs"), child_of(raw.get("schedule"), "inputs")),
    ]
    several = raw.get("schedules")
    for index, schedule in enumerate(several if isinstance(several, list) else ()):
        places.append((("schedules", index, "inputs"), child_of(schedule, "inputs")))
    for place, value in places:
        for path, text in templates_in(value, place):
            hint = "expressions stand in stages, connectors and outputs"
            report.add_inside(path, text.index("${{"), "nothing is computed here", hint)


@dataclass
class _Checker:
    sketch: Sketch
    outside: Outside | None
    report: Report
    scopes: dict[Situation, Scope] = field(default_factory=dict)

    def check_condition(self, site: Site) -> None:
        if not isinstance(site.value, str) or not site.value:
            return
        if "${{" in site.value:
            offset, hint = site.value.index("${{"), "write the expression without ${{ }}"
            self.report.add_inside(site.path, offset, "a condition is an expression already", hint)
            return
        result = self._check(site, site.path, site.value, 0)
        if result not in ("bool", "dyn", ""):
            what = f"a condition must be true or false, this is {_ARTICLES.get(result, result)}"
            self.report.add(site.path, what, code="expression")

    def check_templates(self, site: Site) -> None:
        for path in _template_keys(site.value, site.path):
            self.report.add(path, "a key cannot be an expression", code="expression", at_key=True)
        for path, text in templates_in(site.value, site.path):
            if site.path[-1] == "with" and _is_static(path[len(site.path) :]):
                hint = "give values as parameters"
                self.report.add_inside(path, text.index("${{"), f"'{path[-1]}' takes no expressions", hint)
                continue
            result = self._check_template(site, path, text)
            kind = result.partition("<")[0]
            if path == site.path and path[-1] == "foreach" and kind not in ("list", "dyn", ""):
                what = f"must give a list, this is {_ARTICLES.get(kind, f'a {kind}')}"
                self.report.add(path, what, code="expression")

    def _check_template(self, site: Site, path: Path, text: str) -> str:
        """The type of the last expression, or nothing if it is wrong."""
        try:
            parts = parse_template(text)
        except TemplateError as error:
            self.report.add_inside(path, error.offset, str(error), "write $${{ for the characters ${{")
            return ""
        found = [part for part in parts if isinstance(part, Expression)]
        results = [self._check(site, path, part.text, part.offset) for part in found]
        return results[-1] if results else ""

    def _check(self, site: Site, path: Path, text: str, offset: int) -> str:
        """The type of an expression, or nothing if it is wrong."""
        names = references(text) if len(text) <= MAX_LENGTH else []
        faults = list(name_faults(names, site, self.sketch, self.outside))
        for fault in faults:
            self.report.add_inside(path, offset + fault.offset, fault.what, fault.hint, fault.code)
        if faults:
            return ""
        program = compile_expression(text, self._scope(site, names))
        if isinstance(program, tuple):
            for problem in program:
                inside = _offset(text, problem.line, problem.column)
                self.report.add_inside(path, offset + inside, problem.what, problem.hint, problem.code)
            return ""
        return program.result

    def _scope(self, site: Site, names: list[Reference]) -> Scope:
        situation = site.situation
        if situation not in self.scopes:
            self.scopes[situation] = make_scope(self.sketch.inputs, self.sketch.every_id, situation)
        own = with_more(self.scopes[situation], site.more)
        more = outside_types(names)
        return Scope.of({**own.types, **more}) if more else own


def _is_static(path: Path) -> bool:
    """Whether a field of `with` is one, or one of its `statements`."""
    inner = path[2:] if path[:1] == ("statements",) else path
    return len(inner) == 1 and inner[0] in STATIC_FIELDS


def _template_keys(value: JsonValue, path: Path) -> Iterator[Path]:
    if isinstance(value, dict):
        for key, child in value.items():
            if "${{" in key:
                yield (*path, key)
            yield from _template_keys(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _template_keys(child, (*path, index))


def _offset(text: str, line: int, column: int) -> int:
    lines = text.split("\n")
    return min(sum(len(row) + 1 for row in lines[: line - 1]) + column - 1, len(text))
