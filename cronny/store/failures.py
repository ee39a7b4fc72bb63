"""What a database's own errors mean to those who know no database."""

import sqlite3

from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from cronny.errors import Conflict, CronnyError, Unavailable

# Classes of PostgreSQL's codes that pass: connections, deadlocks, resources, shutdown and start.
PASSING_CLASSES = ("08", "40", "53", "57")
# SQLite's codes for a file that cannot be used; SQLITE_ERROR, a wrong statement, is none of them.
PASSING_CODES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}


def meaning_of(error: Exception) -> CronnyError | None:
    """The error of Cronny that a failed transaction amounts to; None for what must not happen."""
    match error:
        case IntegrityError():  # Two requests made the same new thing at once, and this one came second.
            return Conflict("somebody else changed the same object at this moment; send it again")
        case DBAPIError() if error.connection_invalidated or _passes(error.orig):
            return Unavailable("the database cannot be used at present")
        case PoolTimeout() | OSError():
            return Unavailable("the database cannot be used at present")
        case PostgresError() if _passes(error):  # While connecting, the driver's own errors come through.
            return Unavailable("the database cannot be used at present")
    return None


def _passes(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in PASSING_CODES
    return str(getattr(error, "sqlstate", None) or "").startswith(PASSING_CLASSES)
