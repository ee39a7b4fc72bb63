"""Compile and evaluate expressions: with `dsl.cel_functions` all that knows the CEL engine.

Evaluation bounds itself except in memory, so it belongs into a process that may be killed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cel_expr_python import cel
from cel_expr_python.ext import ext_bindings, ext_encoders, ext_math, ext_optional, ext_strings
from pydantic import JsonValue

from dsl.cel_functions import DECLARATIONS
from dsl.cel_messages import compile_problems, evaluation_message, is_about_a_path, missing_key
from dsl.cel_values import ExpressionError, describe_missing, to_json, to_text, to_variable
from dsl.problems import Problem
from dsl.references import Reference, references, variables_used
from dsl.scopes import Scope, TypeName
from dsl.templates import Expression, TemplateError, parse_template

__all__ = ["ExpressionError", "Program", "Scope", "compile_expression", "evaluate", "holds", "render"]

MAX_LENGTH = 10_000  # characters; the parser is not linear
_ENVIRONMENTS = 64  # an action needs up to six
_PROGRAMS = 4096  # one for each expression

_TYPES: Mapping[TypeName, cel.Type] = {
    "string": cel.Type.STRING,
    "int": cel.Type.INT,
    "double": cel.Type.DOUBLE,
    "bool": cel.Type.BOOL,
    "list": cel.Type.List(cel.Type.DYN),
    "map": cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
    "timestamp": cel.Type.TIMESTAMP,
    "dyn": cel.Type.DYN,
}
_EXTENSIONS = (
    ext_strings.ExtStrings(),
    ext_math.ExtMath(),
    ext_optional.ExtOptional(),
    ext_bindings.ExtBindings(),
    ext_encoders.ExtEncoders(),
)
# What a conversion between Python and the engine raises (SystemError around what Python has no type for);
# errors of the expression itself are values.
_FAILURES = (RuntimeError, TypeError, ValueError, OverflowError, SystemError)


@dataclass(frozen=True)
class Program:
    """A compiled expression; `result` is its type in lower case, `dyn` if only the values will tell."""

    text: str
    result: str
    references: tuple[Reference, ...]
    names: tuple[tuple[str, TypeName], ...]  #: The variables it uses.
    compiled: cel.Expression


@lru_cache(_PROGRAMS)
def compile_expression(text: str, scope: Scope) -> Program | tuple[Problem, ...]:
    """The program of an expression, or what is wrong with it at lines and columns of its own text."""
    if not text.strip():
        return _refused("an expression is empty")
    if len(text) > MAX_LENGTH:
        return _refused(f"an expression is longer than {MAX_LENGTH} characters")
    if any("\ud800" <= character <= "\udfff" for character in text):
        return _refused("an expression is not Unicode text")
    try:
        compiled = _environment(scope).compile(text)
    except _FAILURES as error:
        return compile_problems(str(error), text, scope.types)
    result = compiled.return_type().name().lower()
    if result.startswith(("optional_type", "type<")):
        hint = "end it with .orValue(...)" if result.startswith("optional") else ""
        return _refused(f"the result is no value but {result}", hint)
    found = tuple(references(text))
    names = tuple(variables_used(found, scope.types).items())
    return Program(text, result, found, names, compiled)


def evaluate(text: str, variables: Mapping[str, JsonValue], scope: Scope) -> JsonValue:
    """The value of an expression; variables without a value are null; raises ExpressionError."""
    program = compile_expression(text, scope)
    if isinstance(program, tuple):
        raise ExpressionError("; ".join(part for part in (program[0].what, program[0].hint) if part))
    data = {name: to_variable(name, variables.get(name), kind) for name, kind in program.names}
    try:
        value = program.compiled.eval(data=data)
        plain = value.plain_value()
        if value.type() in (cel.Type.ERROR, cel.Type.UNKNOWN):
            raise ExpressionError(_explain(str(plain), program, variables))
        return to_json(plain)
    except _FAILURES as error:
        raise ExpressionError("a part of the values or of the result is nothing that JSON knows") from error


def render(value: JsonValue, variables: Mapping[str, JsonValue], scope: Scope) -> JsonValue:
    """The value with every template in it resolved; raises ExpressionError."""
    if isinstance(value, str):
        return _render_text(value, variables, scope) if "${{" in value else value
    if isinstance(value, dict):
        return {key: render(child, variables, scope) for key, child in value.items()}
    if isinstance(value, list):
        return [render(child, variables, scope) for child in value]
    return value


def holds(expression: str, variables: Mapping[str, JsonValue], scope: Scope) -> bool:
    """Whether a condition is true; raises ExpressionError, also if it is neither true nor false."""
    result = evaluate(expression, variables, scope)
    if not isinstance(result, bool):
        raise ExpressionError(f"a condition must be true or false, not {to_text(result)[:60]}")
    return result


def _render_text(text: str, variables: Mapping[str, JsonValue], scope: Scope) -> JsonValue:
    try:
        parts = parse_template(text)
    except TemplateError as error:
        raise ExpressionError(str(error)) from error
    match parts:
        case [Expression() as only]:
            return evaluate(only.text, variables, scope)
    return "".join(
        to_text(evaluate(part.text, variables, scope)) if isinstance(part, Expression) else part.text
        for part in parts
    )


def _refused(what: str, hint: str = "") -> tuple[Problem]:
    return (Problem("", what, hint, "expression"),)


@lru_cache(_ENVIRONMENTS)
def _environment(scope: Scope) -> cel.Env:
    variables = {name: _TYPES[kind] for name, kind in scope.variables}
    return cel.NewEnv(variables=variables, extensions=_EXTENSIONS, functions=DECLARATIONS)


def _explain(message: str, program: Program, variables: Mapping[str, JsonValue]) -> str:
    """The engine names the missing key only; the message names the whole path."""
    known = {name: variables.get(name) for name, _ in program.names}
    key = missing_key(message)
    if is_about_a_path(message):
        for reference in program.references:
            missing = "" if reference.is_tested else describe_missing(reference.parts, known)
            if missing and (key is None or f"'{key}'" in missing):
                return missing
    return evaluation_message(message)
