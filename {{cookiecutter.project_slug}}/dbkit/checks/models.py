"""Compares the models with a database."""

from dbkit import meter
from dbkit.config import EnvironmentOptions, alembic_config
from dbkit.connection import DatabaseURL
from dbkit.execution import alembic_environment, migration_connection, run_keywords
from dbkit.metadata import Agreement, find_agreement, load_metadata
from dbkit.revisions import one_line, scripts
from dbkit.throwaways import Stock

MODELS_DIFFER = "the models and the revisions differ ('make migration MSG=…' writes it)"
KEEP = "  (to keep a table that no model describes, write its model, or name it in leave_alone)"


def find_agreement_of_models(stock: Stock | None, options: EnvironmentOptions) -> Agreement:
    """Return what is remembered of the models and all revisions, which may save comparing them.

    Args:
        stock: that of all revisions; None where no templates are kept.
    """
    return find_agreement(stock, options, alembic_config(), load_metadata(options))


async def find_model_differences(database: DatabaseURL, options: EnvironmentOptions) -> str:
    """Print and return what autogenerate would write for `database`; "" if nothing.

    Args:
        database: a throwaway one that stands at the newest revisions. Nobody is connected to it.
    """
    # What compares takes time to import, and is not needed where nothing has changed.
    from dbkit.autogenerate import (
        autogenerate_options,
        find_differences,
        take_pictures,
        with_pictures,
    )

    config = alembic_config(database)
    keywords = {
        **run_keywords(options, database.dialect),
        **autogenerate_options(config, database.dialect, options),
    }
    meter.announce("comparing {} tables with the models", len(keywords["target_metadata"].tables))
    with one_line(scripts()):
        pictures = await take_pictures(database, database, keywords, options)
    keywords = with_pictures(keywords, pictures, options)
    async with (
        alembic_environment(config, scripts()) as environment,
        migration_connection(database) as connection,
    ):
        with one_line(environment.script):
            differences = await connection.run_sync(
                lambda sync: find_differences(environment, sync, keywords)
            )
    found = pictures.differences() if pictures and not pictures.has_own_writer else []
    lines = [one.describe("the revisions", "the models") for one in found]
    differences = differences or "\n".join(f"  {line}" for line in lines)
    if differences:
        print(differences)
    if "op.drop_table(" in differences:
        print(KEEP)
    return differences
