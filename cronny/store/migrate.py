"""Brings a database to the newest schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from cronny.errors import Unavailable

HERE = Path(__file__).parent / "migrations"


def upgrade(database_url: str) -> None:
    """Run every migration that the database has not seen; makes the folder of a SQLite file.

    Raises Unavailable when there is no such database, or not of ours.
    """
    try:
        _upgrade(database_url)
    except ImportError as error:  # What SQLAlchemy needs for a kind of database that we don't know.
        raise Unavailable("the database must be `sqlite:///…` or `postgresql://…`") from error
    except (SQLAlchemyError, CommandError, OSError) as error:
        raise Unavailable(_reason(error)) from error


def _upgrade(database_url: str) -> None:
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    command.upgrade(_config(database_url), "head")


def _config(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["database_url"] = database_url
    return config


def _reason(error: Exception) -> str:
    """The reason in the words of the database, without the statement and the links around it."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return " ".join(str(cause).split()) or type(cause).__name__
