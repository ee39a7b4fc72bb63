"""All functions that expressions may use, by subject."""

from collections.abc import Mapping

from dsl.functions.codes import CODES
from dsl.functions.function import Function, Group, free, member
from dsl.functions.lists import LISTS
from dsl.functions.numbers import NUMBERS
from dsl.functions.texts import TEXTS
from dsl.functions.times import TIMES

_TESTS = Group(
    "What may be missing",
    (
        free("has(x.field)", "Whether there is such a field.", "has({'a': 1}.b)", False),
        member(
            "x.?field.orValue(other)",
            "The field, or the other value if there is none.",
            "{'a': 1}.?b.orValue(0)",
            0,
        ),
        member("x.?field.hasValue()", "Whether there is one.", "{'a': 1}.?a.hasValue()", True),
        free("cel.bind(name, x, value)", "A value that uses a name for another.", "cel.bind(n, 2, n * n)", 4),
    ),
)

GROUPS = (TEXTS, LISTS, NUMBERS, TIMES, CODES, _TESTS)
FUNCTIONS: Mapping[str, Function] = {
    function.name: function for group in GROUPS for function in group.functions
}
# What the engine has besides: parts of times, and less used forms of what is in the catalogue.
# fmt: off
_MORE = (
    "bool", "bytes", "uint", "dyn", "type", "last", "value", "optMap", "optFlatMap", "lowerAscii",
    "upperAscii", "strings.quote", "getFullYear", "getMonth", "getDate", "getDayOfMonth",
    "getDayOfWeek", "getDayOfYear", "getMinutes", "getSeconds", "getMilliseconds", "math.isNaN",
    "math.isInf", "math.isFinite", "math.bitAnd", "math.bitOr", "math.bitXor", "math.bitNot",
    "math.bitShiftLeft", "math.bitShiftRight", "optional.of", "optional.none",
    "optional.ofNonZeroValue",
)
# fmt: on
NAMES = frozenset({*FUNCTIONS, *_MORE})
MEMBERS = frozenset(name for name, function in FUNCTIONS.items() if function.is_member)
SPACES = frozenset(name.partition(".")[0] for name in NAMES if "." in name)
