"""Names in paths."""

import re
from typing import Annotated

from fastapi import Depends, Path

from cronny.errors import Invalid, NotFound
from cronny.names import NAME_PATTERN
from dsl.problems import Problem

_PathName = Annotated[str, Path(description="Lower-case letters, digits, `_` and `-`; a letter first.")]


def find_name(name: _PathName) -> str:
    """A name to look up; raises NotFound for what can name nothing."""
    if re.fullmatch(NAME_PATTERN, name) is None:
        raise NotFound("there is nothing of that name")
    return name


def give_name(name: _PathName) -> str:
    """A name to give; raises Invalid."""
    if re.fullmatch(NAME_PATTERN, name) is None:
        hint = "use at most 63 lower-case letters, digits, '_' and '-', a letter first"
        raise Invalid([Problem("name", "this is not a name", hint, "name")])
    return name


KnownName = Annotated[str, Depends(find_name)]
NewName = Annotated[str, Depends(give_name)]
