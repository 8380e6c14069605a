"""Checks a stamp before it is written: it says what a database holds, and runs nothing."""

import logging
import shlex

from alembic.runtime.environment import EnvironmentContext
from alembic.util import CommandError

from dbkit import execution
from dbkit.config import CONFIRM_STAMP, EnvironmentOptions
from dbkit.connection import DatabaseURL, one_line_errors, throwaway_home
from dbkit.locking import WaitBudget
from dbkit.request import Kind, Request

log = logging.getLogger("alembic.migrator")


async def check_stamp(
    environment: EnvironmentContext,
    database: DatabaseURL,
    request: Request,
    options: EnvironmentOptions,
    budget: WaitBudget,
) -> None:
    """Compare a database with what the revisions build that a stamp records there.

    `make migration-stamp` wants a confirmation of what differs; for scripts written for Alembic,
    `alembic stamp` warns and goes on.

    Args:
        budget: what is left to wait for the server.

    Raises:
        CommandError: they differ, or could not be compared, and nobody has confirmed it.
    """
    from dbkit.adoption import compare_stamp  # only a stamp compares
    from dbkit.checks.pictures import take_picture

    home = throwaway_home()
    home = home if home.dialect == database.dialect else database
    keywords = execution.run_keywords(options, database.dialect)

    async def build(throwaway: DatabaseURL, revisions: tuple[str, ...]) -> None:
        find = execution.upgrade_steps(environment.script, revisions)
        upgrade = Request(Kind.RUN, find)
        executor = execution.Executor(environment, throwaway, upgrade, keywords)
        with execution.quiet("alembic.migrator"):  # its lines would read as if of the database
            async with execution.migration_connection(throwaway) as connection:
                await executor.run(connection)

    try:
        revisions = environment.script.get_revisions(request.destination)
    except CommandError:  # which Alembic reports itself
        return
    names = tuple(revision.revision for revision in revisions if revision is not None)
    if not names:  # base: it records nothing that could be compared
        return
    must_confirm = bool(environment.config.attributes.get(CONFIRM_STAMP))
    name = database.name_to_type
    source = database.for_reading()
    async with execution.migration_connection(source, budget):
        pass  # the server answers now
    with one_line_errors(source):
        found = await take_picture(source, options)
    lines = await compare_stamp(names, found, home, options, build)
    for line in lines[:-1]:
        if must_confirm:
            print(line)
        else:
            log.warning(line)
    if lines and must_confirm and request.confirm != name:
        wrong = "; CONFIRM is not the name of the database" if request.confirm else ""
        raise CommandError(
            f"{lines[-1]}{wrong}. Nothing was changed; if you mean it, type it once more with "
            f"CONFIRM={shlex.quote(name)}"
        )
    if lines:
        log.warning(lines[-1])
