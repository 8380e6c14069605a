"""Imports the service's models, which most commands do without."""

from alembic.util import CommandError
from sqlalchemy import MetaData

from dbkit import PROJECT
from dbkit.config import EnvironmentOptions
from dbkit.errors import error_text, location_of


def load_metadata(options: EnvironmentOptions) -> MetaData:
    """Return the tables of the models.

    Raises:
        CommandError: a model cannot be imported; one line, with its file and line. The traceback
            is that of its `__cause__`, which `alembic --raiseerr` shows.
    """
    try:
        metadata = options.metadata()
    except (Exception, SystemExit) as error:  # sys.exit() would end the command without a word
        location = location_of(error, PROJECT / "app") or "models"
        raise CommandError(f"app/{location}: {error_text(error)}") from error
    if not isinstance(metadata, MetaData):
        raise CommandError("alembic/env.py: the function for environment.run returns no MetaData")
    return metadata
