"""The deployment gate: what speaks against deploying this code on a database."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from alembic.util import CommandError
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.checks.drift import report_drift
from dbkit.checks.heads import find_unmerged_heads
from dbkit.checks.live import LiveDatabase, look_at
from dbkit.checks.models import (
    MODELS_DIFFER,
    find_agreement_of_models,
    find_model_differences,
)
from dbkit.checks.pictures import take_picture
from dbkit.checks.report import Report
from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL, shared_connections
from dbkit.history import check_ahead, find_edited
from dbkit.locking import reading
from dbkit.revisions import Status, compare_revisions, read_current, scripts
from dbkit.throwaways import build_from, find_stock, throwaway_server


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
    status, version = await _compare_revisions(source, options, report)

    same_kind = home.dialect == database.dialect
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(shared_connections())
        built = expected = stock = None
        async with _meanwhile(look_at(source, options)) as looking:
            beside = throwaway_server(home if same_kind else database, source, version)
            place = await stack.enter_async_context(beside)
            if not status.unknown:
                stock = await find_stock(place, options, scripts(), status.current)
                there = build_from(stock, place, options, status.current)
                built = await stack.enter_async_context(there)
                expected = await take_picture(built, options)
            live = await looking
        if expected is not None:
            report_drift(expected, live, status.current, report)
        else:  # revisions of which this code has no file
            report.add("failing", live.report_alone())
        is_newest = built is not None and set(status.current) == set(status.head)
        if not is_newest:
            stock = await find_stock(place, options, scripts(), ("heads",))
        agreement = find_agreement_of_models(stock, options)
        if agreement.is_known:
            report.models = []
            return
        if built is None or not is_newest:
            start = built if status.current else None  # an empty one is not worth it
            newest = build_from(stock, place, options, start=start)
            built = await stack.enter_async_context(newest)
        models = await find_model_differences(built, options)
        if not models:
            agreement.note()
        report.models = models.splitlines()
        report.add("models", [MODELS_DIFFER] if models else [])


@asynccontextmanager
async def _meanwhile(work: Coroutine[Any, Any, LiveDatabase]) -> AsyncIterator[Any]:
    """Do `work` while the block waits for other things; yields what awaits its result."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # the block's own is the one that counts


async def _compare_revisions(
    source: DatabaseURL, options: EnvironmentOptions, report: Report
) -> tuple[Status, int | None]:
    """Return where the database stands, and the major version of its PostgreSQL."""
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
        version = _major_version(connection)
    report.current, report.heads = [*status.current], [*status.head]
    report.pending = status.pending
    if status.pending:
        report.add("pending", [f"{status.pending} pending ('make migrate' runs them)"])
    return status, version


def _major_version(connection: AsyncConnection) -> int | None:
    known = connection.dialect.server_version_info
    return int(known[0]) if known and connection.dialect.name == "postgresql" else None
