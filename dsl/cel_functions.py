"""Our functions as the CEL engine wants them declared."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from cel_expr_python import cel

from dsl.cel_values import ExpressionError, to_json
from dsl.functions.catalogue import FUNCTIONS
from dsl.functions.function import Function, TypeName

_DYN = cel.Type.DYN
_TYPES: Mapping[TypeName, cel.Type] = {
    "string": cel.Type.STRING,
    "int": cel.Type.INT,
    "uint": cel.Type.UINT,
    "double": cel.Type.DOUBLE,
    "bool": cel.Type.BOOL,
    "bytes": cel.Type.BYTES,
    "null": cel.Type.NULL,
    # The engine knows no type parameters for functions from outside, so what is inside may be anything.
    "list": cel.Type.List(_DYN),
    "map": cel.Type.Map(_DYN, _DYN),
    "timestamp": cel.Type.TIMESTAMP,
    "duration": cel.Type.DURATION,
    "dyn": _DYN,
}

_TIMES = ("timestamp", "duration")


def _declared(function: Function) -> cel.FunctionDecl:
    overloads = [
        cel.Overload(
            f"{function.name}({','.join(form.takes)})",
            _TYPES[form.gives],
            [_TYPES[kind] for kind in form.takes],
            function.is_member,
            _explained(function.name, form.call, is_time=form.gives in _TIMES),
        )
        for form in function.forms
    ]
    return cel.FunctionDecl(function.name, overloads)


def _explained(name: str, call: Callable[..., Any], *, is_time: bool) -> Callable[..., Any]:
    """The function, whose errors become the errors of the expression, with its name in front."""

    @wraps(call)
    def explained(*given: Any) -> Any:
        try:
            return _fit(call(*given), is_time=is_time)
        except (ValueError, ExpressionError) as error:
            raise ValueError(f"{name}: {error}") from None
        except RecursionError:
            raise ValueError(f"{name}: the value is nested too deeply") from None
        except MemoryError:
            raise ValueError(f"{name}: this needs more memory than an expression may have") from None

    return explained


def _fit(value: Any, *, is_time: bool = False) -> Any:
    """A result as the engine can take it back, or an error: it would cut texts at a zero and wrap numbers.

    It takes times only from functions that give one; inside a list they become texts.
    """
    match value:
        case bool() | float() | None:
            return value
        case int():
            if not -(1 << 63) <= value < 1 << 63:
                raise ValueError("the result is too large for a whole number")
        case str():
            _check_text(value)
        case bytes():
            return bytearray(value)
        case list():
            return [_fit(item) for item in value]
        case dict():
            return {_fit(key): _fit(item) for key, item in value.items()}
        case datetime() | timedelta():
            return value if is_time else to_json(value)
    return value


def _check_text(text: str) -> None:
    if "\0" in text:
        raise ValueError("the result has a zero character (U+0000)")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("the result is not Unicode text") from None


DECLARATIONS = [_declared(function) for function in FUNCTIONS.values() if function.forms]
