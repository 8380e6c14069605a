"""Bare Alembic's autogenerate, with the kit's options, in this process."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.dialects import postgresql, sqlite

from dbkit.autogenerate import autogenerate_options
from dbkit.config import EnvironmentOptions, alembic_config


class BareRevision:
    """A file of Alembic's autogenerate.

    Args:
        connection: of the database that it is written for, and runs on.
        metadata: of the models.
    """

    def __init__(self, connection: Connection, metadata: MetaData) -> None:
        self._connection = connection
        options = EnvironmentOptions(lambda: metadata)
        self._keywords = autogenerate_options(alembic_config(), connection.dialect.name, options)
        with connection.begin():
            context = MigrationContext.configure(connection, opts=self._keywords)
            script = produce_migrations(context, metadata)
        upgrade, downgrade = script.upgrade_ops_list[0], script.downgrade_ops_list[0]
        self.is_empty = upgrade.is_empty()
        render: dict[str, Any] = {
            "render_item": self._keywords["render_item"],
            "render_as_batch": self._keywords["render_as_batch"],
            "migration_context": context,
        }
        up, down = (render_python_code(changes, **render) for changes in (upgrade, downgrade))
        by_hand = "".join(f"# {line}\n" for line in self._keywords["changes_by_hand"])
        self.text = f"def upgrade():\n    {up}\n\ndef downgrade():\n    {down}\n{by_hand}"

    def upgrade(self) -> None:
        """Run the file's upgrade."""
        self._run("upgrade")

    def downgrade(self) -> None:
        """Run the file's downgrade."""
        self._run("downgrade")

    def _run(self, function: str) -> None:
        from alembic_postgresql_enum import TableReference  # it registers a plug-in for the process

        names = {"op": op, "postgresql": postgresql, "sa": sa, "sqlite": sqlite}
        namespace: dict[str, Any] = {**names, "TableReference": TableReference}
        exec(self.text, namespace)  # noqa: S102 - as Alembic runs a file
        context = MigrationContext.configure(self._connection, opts=self._keywords)
        try:
            with Operations.context(context), context.begin_transaction():
                namespace[function]()
        finally:
            self._connection.rollback()
