"""Carries revisions out on one database: lock, steps, retries, history."""

from dbkit.execution.commands import adopt, downgrade, run_keywords, upgrade
from dbkit.execution.connection import migration_connection
from dbkit.execution.context import alembic_environment, configure, create_version_table, quiet
from dbkit.execution.executor import Executor
from dbkit.execution.offline import render
from dbkit.execution.steps import upgrade_steps

__all__ = [
    "Executor",
    "adopt",
    "alembic_environment",
    "configure",
    "create_version_table",
    "downgrade",
    "migration_connection",
    "quiet",
    "render",
    "run_keywords",
    "upgrade",
    "upgrade_steps",
]
