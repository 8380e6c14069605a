"""Imports the service's models, which most commands do without."""

import sys
from pathlib import Path
from typing import Any

from alembic.util import CommandError
from sqlalchemy import MetaData, event
from sqlalchemy.orm import Mapper, configure_mappers

from dbkit import PROJECT
from dbkit.config import EnvironmentOptions
from dbkit.errors import error_text, location_of


def load_metadata(options: EnvironmentOptions) -> MetaData:
    """Return the tables of the models, whose relationships fit together.

    Raises:
        CommandError: a model cannot be imported or used; one line, with its file. The traceback
            is that of its `__cause__`, which `alembic --raiseerr` shows.
    """
    try:
        metadata = options.metadata()
    except (Exception, SystemExit) as error:  # sys.exit() would end the command without a word
        location = location_of(error, PROJECT / "app") or "models"
        raise CommandError(f"app/{location}: {error_text(error)}") from error
    if not isinstance(metadata, MetaData):
        raise CommandError("alembic/env.py: the function for environment.run returns no MetaData")
    _configure_mappers()
    return metadata


def _configure_mappers() -> None:
    """Do now what SQLAlchemy does at the first query: it finds a misspelled `back_populates`.

    https://docs.sqlalchemy.org/en/21/orm/mapping_api.html#sqlalchemy.orm.configure_mappers
    """
    begun: list[type] = []

    def note(_mapper: Mapper[Any], model: type) -> None:
        begun.append(model)

    event.listen(Mapper, "before_mapper_configured", note)
    try:
        configure_mappers()
    except Exception as error:
        location = location_of(error, PROJECT / "app")
        if begun and not location:
            location = f"{_file_of(begun[-1])}: class {begun[-1].__name__}"
        raise CommandError(f"{location or 'the models'}: {error_text(error)}") from error
    finally:
        event.remove(Mapper, "before_mapper_configured", note)


def _file_of(model: type) -> str:
    path = Path(getattr(sys.modules.get(model.__module__), "__file__", None) or model.__module__)
    return str(path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path)
