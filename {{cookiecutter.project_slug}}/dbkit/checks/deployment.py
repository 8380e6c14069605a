"""The deployment gate: what speaks against deploying this code on a database."""

from contextlib import AsyncExitStack

from alembic.util import CommandError

from dbkit.checks.drift import find_drift
from dbkit.checks.heads import find_unmerged_heads
from dbkit.checks.live import look_at
from dbkit.checks.models import (
    MODELS_DIFFER,
    find_agreement_of_models,
    find_model_differences,
)
from dbkit.checks.report import Report
from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL
from dbkit.history import check_ahead, find_edited
from dbkit.locking import reading
from dbkit.revisions import Status, compare_revisions, read_current, scripts
from dbkit.throwaways import built_database, throwaway_server


async def check_deployment(
    database: DatabaseURL, home: DatabaseURL, options: EnvironmentOptions, report: Report
) -> None:
    """Compare code, revisions and database; prints details.

    Args:
        database: the one to deploy on, which is only read.
        home: where a throwaway database is made, if it is of the same kind.
        report: is filled: several heads without labels, revisions that are pending, edited or
            unknown, a database or models that differ from what the revisions build.

    Raises:
        DatabaseUnavailable: no connection.
        CommandError: a revision failed on the throwaway database.
    """
    report.add("heads", find_unmerged_heads())
    source = database.for_reading()
    status = await _compare_revisions(source, options, report)

    same_kind = home.dialect == database.dialect
    async with AsyncExitStack() as stack:
        beside = throwaway_server(home if same_kind else database, source)
        place = await stack.enter_async_context(beside)
        built: DatabaseURL | None = None
        if not status.unknown:
            there = built_database(place, options, status.current)
            built = await stack.enter_async_context(there)
            await find_drift(source, built, status.current, options, report)
        else:  # revisions of which this code has no file
            report.add("failing", (await look_at(source, options)).report_alone())
        agreement = await find_agreement_of_models(place, options)
        if agreement.is_known:
            report.models = []
            return
        if built is None or set(status.current) != set(status.head):
            start = built if status.current else None  # an empty one is not worth it
            newest = built_database(place, options, start=start)
            built = await stack.enter_async_context(newest)
        models = await find_model_differences(built, options)
        if not models:
            agreement.note()
        report.models = models.splitlines()
        report.add("models", [MODELS_DIFFER] if models else [])


async def _compare_revisions(
    source: DatabaseURL, options: EnvironmentOptions, report: Report
) -> Status:
    async with reading(source) as connection:
        status = compare_revisions(await read_current(connection, options))
        edited = await connection.run_sync(find_edited, scripts(), status.current)
        report.add("edited", [edited] if edited else [])
        try:
            ahead = await connection.run_sync(check_ahead, status.current, scripts())
            if ahead:
                print(ahead)
        except CommandError as error:
            report.add("unknown", [str(error)])
    report.current, report.heads = [*status.current], [*status.head]
    report.pending = status.pending
    if status.pending:
        report.add("pending", [f"{status.pending} pending ('make migrate' runs them)"])
    return status
