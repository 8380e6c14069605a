"""Imports the models, and says in one line what is wrong with them."""

from alembic.util import CommandError
from sqlalchemy import MetaData

from dbkit import PROJECT
from dbkit.config import EnvironmentOptions
from dbkit.errors import error_text, location_of


def load_metadata(options: EnvironmentOptions) -> MetaData:
    """Return the models' tables.

    Raises:
        CommandError: a model cannot be imported; names the file and its line. `alembic --raiseerr`
            shows the traceback.
    """
    try:
        return options.metadata()
    except Exception as error:
        location = location_of(error, PROJECT / "app") or "models"
        raise CommandError(f"app/{location}: {error_text(error)}") from error
