"""Names in paths."""

import re
from typing import Annotated

from fastapi import Depends, Path

from cronny.errors import Invalid, NotFound
from cronny.names import NAME_PATTERN
from dsl.outside import is_outside_name
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


_OutsideName = Annotated[str, Path(alias="name", description="Letters, digits and `_`; a letter first.")]


def find_outside_name(name: _OutsideName) -> str:
    """A name of a variable or a secret to look up; raises NotFound for what can name none."""
    if not is_outside_name(name):
        raise NotFound("there is nothing of that name")
    return name


def give_outside_name(name: _OutsideName) -> str:
    """A name of a variable or a secret to give; raises Invalid."""
    if not is_outside_name(name):
        hint = "use at most 63 letters, digits and '_', a letter first, and no word of the expressions"
        raise Invalid([Problem("name", "this is not a name", hint, "name")])
    return name


KnownName = Annotated[str, Depends(find_name)]
NewName = Annotated[str, Depends(give_name)]
KnownOutsideName = Annotated[str, Depends(find_outside_name)]
NewOutsideName = Annotated[str, Depends(give_outside_name)]
