"""What the CEL engine says, in words for people; nothing is decided here, only phrased."""

import re
from collections.abc import Iterable

from dsl.functions.catalogue import FUNCTIONS, MEMBERS, NAMES
from dsl.problems import Problem, did_you_mean, known_hint

# Anchored, since a message also repeats the lines of the expression.
_ERROR = re.compile(r"^(?:[A-Z_]+: )?ERROR: <input>:(\d+):(\d+): (.*)", re.MULTILINE)
_TAIL = re.compile(r"\s*\[[A-Z_]+\]\s*$")
_STATUS = re.compile(r"^[A-Z_]+: ")
_OVERLOADS = (
    re.compile(r"no matching overload for '(.+?)' applied to '(.*)'"),
    re.compile(r"No matching overloads found : (.+?)(\(.*\))$"),
)
_MISSING = re.compile(r'Key not found in map : "?(.*?)"?$')
_NUMBERS = ({"int", "double"}, {"uint", "int"}, {"uint", "double"})
_OPERATORS = {"_?_:_": "?:", "_[_]": "[]", "!_": "!", "-_": "-", "@in": "in", "@not_strictly_false": "!"}
_SHORT = {
    "int64": "int",
    "uint64": "uint",
    "google.protobuf.Timestamp": "timestamp",
    "google.protobuf.Duration": "duration",
}
_SPELLED = re.compile("|".join(map(re.escape, sorted(_SHORT, reverse=True))))
_REPHRASED = {
    "has() argument must be a field selection": "has() takes a field, such as has(input.body)",
    "invalid int literal": "this number is too large",
}


def compile_problems(message: str, text: str, names: Iterable[str]) -> tuple[Problem, ...]:
    """What the compiler complains about, each at its line and column in the expression."""
    found = [(int(match[1]), int(match[2]), _plain(match[3])) for match in _ERROR.finditer(message)]
    if not found:
        deep = "an expression has more than 32 operations inside one another"
        return (Problem("", deep if "recursion" in message else _plain(message), code="expression"),)
    if any(what.startswith("Syntax error: ") for _, _, what in found):
        found = found[:1]  # The others follow from it.
    return tuple(_problem(line, column, what, text, names) for line, column, what in found)


def _problem(line: int, column: int, what: str, text: str, names: Iterable[str]) -> Problem:
    if what.startswith("undeclared reference to "):
        return _unknown(what.split("'")[1], line, column, text, names)
    if what.startswith("reserved identifier: "):
        word = what.rpartition(" ")[2]
        return Problem("", f"'{word}' is a reserved word", f'write ["{word}"]', "expression", line, column)
    if what.startswith("Syntax error: "):
        what, hint = _syntax(what.removeprefix("Syntax error: "), text)
    else:
        what, hint = _overload(what)
    return Problem("", what, hint, "expression", line, column)


def missing_key(message: str) -> str | None:
    """The key that a map did not have, if that is what an evaluation complains about."""
    found = _MISSING.match(_plain(message))
    return found[1] if found else None


def is_about_a_path(message: str) -> bool:
    """Whether an evaluation complains about a field or an item that is not there."""
    return missing_key(message) is not None or "Index error" in message or "Applying SELECT" in message


def evaluation_message(message: str) -> str:
    """An error of an evaluation, its hint behind a semicolon."""
    if key := missing_key(message):
        return f"there is no '{key}'"
    what, hint = _overload(_plain(message))
    return f"{what}; {hint}" if hint else what


def _plain(message: str) -> str:
    text = _STATUS.sub("", _TAIL.sub("", message.split("\n", maxsplit=1)[0]))
    return text.removesuffix(" (in container '')").strip() or "not an expression"


def _unknown(name: str, line: int, column: int, text: str, names: Iterable[str]) -> Problem:
    # The engine points at the last dot of a dotted name.
    row = text.split("\n")[line - 1] if line <= text.count("\n") + 1 else ""
    start = row.rfind(name.partition(".")[0], 0, column) + 1 or column
    roots = {known.partition(".")[0] for known in names}
    if function := _function(name, text, roots):
        what, hint = f"no function '{function}'", did_you_mean(function, NAMES)
        if function in MEMBERS:
            what, hint = f"'{function}' is called on a value", f"write {FUNCTIONS[function].usage}"
        code = "expression" if function in MEMBERS else "unknown_function"
        return Problem("", what, hint, code, line, start)
    if name in roots:
        return Problem("", f"'{name}' is no value", f"write {name}.<name>", "expression", line, start)
    root = name.partition(".")[0]
    if root in roots:
        return Problem("", f"no name '{name}'", did_you_mean(name, names), "unknown_name", line, start)
    hint = did_you_mean(root, roots) or known_hint("names", sorted(roots))
    return Problem("", f"no name '{root}'", hint, "unknown_name", line, start)


def _function(name: str, text: str, roots: set[str]) -> str:
    """The function that the engine does not know, if it is one: of `jsn.parse(x)` it names `jsn` only."""
    if re.search(rf"\b{re.escape(name)}\s*\(", text):
        return name
    found = re.search(rf"(?<![\w.]){re.escape(name)}\.\w+(?=\s*\()", text)
    return found[0] if found and name not in roots else ""


def _syntax(what: str, text: str) -> tuple[str, str]:
    if "input '<EOF>'" in what:
        return "the expression ends too early", ""
    if found := re.match(r"token recognition error at: '(.*)'$", what):
        found_text = found[1].strip()
        hint = "compare with ==" if found_text.startswith("=") else ""
        if found_text[:1] in ("'", '"'):
            return "a text is not closed", hint
        return f"unexpected '{found_text}'", hint
    if found := re.match(r"missing '(.*)' at '<EOF>'", what):
        return f"the expression ends before its '{found[1]}'", ""
    if found := re.match(r"(?:mismatched|extraneous) input '(.*?)' expecting", what):
        hint = "use && and || and !" if found[1] in ("and", "or", "not") else ""
        return f"unexpected '{found[1]}'", hint
    return what, ""


def _overload(what: str) -> tuple[str, str]:
    found = next((match for pattern in _OVERLOADS if (match := pattern.search(what))), None)
    if found is None:
        return _REPHRASED.get(what, what), ""
    name = _OPERATORS.get(found[1], found[1].strip("_"))
    types = _SPELLED.sub(lambda each: _SHORT[each[0]], found[2].strip("()")).split(", ")
    hint = ""
    if set(types) in _NUMBERS:
        hint = "integers and decimals don't mix: write 1.0 for 1, or use double(x) or int(x)"
    elif "string" in types and name == "+":
        hint = "use string(x) to join other values to a text"
    return f"'{name}' does not take ({', '.join(types)})", hint
