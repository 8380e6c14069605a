"""Alembic's process-wide `context`: configured, replaced by a guarded one, kept quiet."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from threading import Lock
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlalchemy.schema import CreateSchema

_in_use = Lock()  # `alembic.context` and `alembic.op` are one for the process


@contextmanager
def quiet(logger: str = "alembic.runtime.migration") -> Iterator[None]:
    """Log warnings alone: Alembic's lines about its context and each step, unless others are meant.

    The executor has a line of its own for each step.
    """
    log = logging.getLogger(logger)
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(level)


def configure(environment: EnvironmentContext, **keywords: Any) -> MigrationContext:
    """Let Alembic make a context of `keywords`, those of `EnvironmentContext.configure`."""
    vars(environment).pop("get_context", None)  # of `use_context`
    environment.configure(**keywords)
    return environment.get_context()


def create_version_table(context: MigrationContext, script: ScriptDirectory) -> None:
    """Create Alembic's table, and its schema if the service gives it one of its own."""
    schema, connection = context.version_table_schema, context.connection
    if schema and connection is not None and not inspect(connection).has_schema(schema):
        connection.execute(CreateSchema(schema))
    context.stamp(script, "base")  # creates the table, and has no step


def use_context(context: MigrationContext) -> None:
    """Let the environment of `context`, which is `alembic.context` in a revision, return it."""
    environment = context.environment_context
    if environment is not None:
        environment.get_context = lambda: context  # type: ignore[method-assign]


@asynccontextmanager
async def alembic_environment(
    config: Config, script: ScriptDirectory
) -> AsyncIterator[EnvironmentContext]:
    """Install an environment for code that calls no command of Alembic's.

    Migrations of two databases in one process take turns. The lock is polled, because whoever
    holds it may be another task of the same event loop.
    """
    while not _in_use.acquire(blocking=False):  # noqa: ASYNC110 - a lock of threads
        await asyncio.sleep(0.05)
    try:
        with EnvironmentContext(config, script) as environment:
            yield environment
    finally:
        _in_use.release()
