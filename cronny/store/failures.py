"""What a database's own errors mean to those who know no database."""

from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from cronny.errors import Conflict, CronnyError, Unavailable


def meaning_of(error: Exception) -> CronnyError | None:
    """The error of Cronny that a failed transaction amounts to; None for what must not happen."""
    match error:
        case IntegrityError():  # Two requests made the same new thing at once, and this one came second.
            return Conflict("somebody else changed the same object at this moment; send it again")
        case OperationalError() | InterfaceError() | PoolTimeout() | OSError():
            return Unavailable("the database cannot be used at present")
    return None
