"""Copies a table on SQLite and keeps all of it that no operation of the batch changes."""

from typing import Any

from alembic.ddl.impl import DefaultImpl
from alembic.operations.batch import ApplyBatchImpl
from alembic.util import CommandError
from sqlalchemy import (
    CheckConstraint,
    Computed,
    Constraint,
    Index,
    PrimaryKeyConstraint,
    Table,
)

from dbkit.operations.sqlite_batches.checks import checks_of, replace_checks
from dbkit.operations.sqlite_batches.completion import complete
from dbkit.operations.sqlite_batches.master import Master
from dbkit.operations.sqlite_batches.messages import naming_table
from dbkit.operations.sqlite_batches.remaking import check_dropped, remade
from dbkit.operations.sqlite_batches.renaming import rename_columns, with_new_names


class KeepingBatch(ApplyBatchImpl):
    """Takes from the database's own text what reflection does not see, and makes it anew.

    The arguments are those of Alembic's class. A table that the revision gives as `copy_from` has
    the columns and constraints that the revision says, and keeps its indexes and triggers.
    """

    def __init__(
        self,
        impl: DefaultImpl,
        table: Table,
        table_args: tuple[Any, ...],
        table_kwargs: dict[str, Any],
        reflected: bool,
        **keywords: Any,
    ) -> None:
        assert impl.connection is not None  # noqa: S101 - for the type checker
        self.master = Master(impl.connection, table.name, table.schema)
        self.is_reflected, self.renamed = reflected, dict[str, str]()
        self.old_indexes = self.master.texts("index")
        if reflected:
            statement = self.master.statement()
            complete(table, statement, self.master, impl.dialect)
        # As given by the revision: Alembic would leave out CHECKs without a name.
        super().__init__(impl, table, table_args, table_kwargs, False, **keywords)
        self.checks = checks_of(table, statement) if reflected else []
        if reflected:
            self._take_namesakes(table)
            replace_checks(self, self.checks)

    def _take_namesakes(self, table: Table) -> None:
        """Take constraints that have the name of another one: Alembic knows one of each name."""
        known = {id(one) for one in (*self.named_constraints.values(), *self.unnamed_constraints)}
        self.unnamed_constraints += [one for one in table.constraints if id(one) not in known]

    def alter_column(
        self, table_name: str, column_name: str, *arguments: Any, **changes: Any
    ) -> None:
        """Change a column; SQLite itself renames one, wherever its name stands.

        One that is computed no more keeps its values.

        No value is converted: CAST makes 0 of what is no number, and 2026 of a date.
        """
        transfer: dict[str, Any] = self.column_transfers[column_name]
        expression = transfer.get("expr")
        column, default = self.columns[column_name], changes.get("server_default", False)
        if isinstance(default, Computed) or (default is not False and column.computed is not None):
            computed = default if isinstance(default, Computed) else None
            column.computed = column.server_default = column.server_onupdate = computed
            changes["server_default"] = False if computed is not None else default
        super().alter_column(table_name, column_name, *arguments, **changes)
        if expression is not None:
            transfer["expr"] = expression
        name = changes.get("name")
        if name is not None and name != column_name and name not in self.table.columns:
            self.renamed[column_name] = name

    def add_constraint(self, const: Constraint) -> None:
        """Add a constraint; a primary key takes the place of the one that is there."""
        if isinstance(const, PrimaryKeyConstraint):
            self._drop_primary_key()
        super().add_constraint(const)

    def drop_constraint(self, const: Constraint) -> None:
        """Drop a constraint; a primary key need not have a name in the database."""
        if isinstance(const, PrimaryKeyConstraint):
            self._drop_primary_key()
        else:
            super().drop_constraint(const)

    def _drop_primary_key(self) -> None:
        for one in [*self.named_constraints.values(), *self.unnamed_constraints]:
            if isinstance(one, PrimaryKeyConstraint):
                self._forget(one)
        for column in self.columns.values():
            column.primary_key = False

    def _forget(self, const: Constraint) -> None:
        if const in self.unnamed_constraints:
            self.unnamed_constraints.remove(const)
        self.named_constraints = {
            name: one for name, one in self.named_constraints.items() if one is not const
        }

    def create_index(self, idx: Index) -> None:
        """Note an index, which is made when the copy is there."""
        self.new_indexes[str(idx.name)] = idx

    def drop_index(self, idx: Index) -> None:
        """Do not make an index of the table anew, one over expressions neither."""
        if self.old_indexes.pop(str(idx.name), None) is None and idx.name not in self.new_indexes:
            raise CommandError(f"there is no index {idx.name} of table {self.table.name} to drop")
        self.new_indexes.pop(str(idx.name), None)
        self.indexes.pop(str(idx.name), None)

    def _create(self, op_impl: DefaultImpl) -> None:
        """Copy the table, and make anew what goes with it."""
        columns = self.columns.values()
        rename_columns(self.master, self.table, self.renamed, self.checks, columns)
        check_dropped(
            self.table.name,
            [one.key for one in self.table.columns if one.key not in self.columns],
            self._checks(),
            columns,
            self.old_indexes,
        )
        for name, column in self.columns.items():
            if column.computed is not None:
                self.column_transfers[name].pop("expr", None)  # SQLite computes it
        new_indexes = [*self.new_indexes.values()]
        if not self.is_reflected:  # what `copy_from` has, and the database has not
            given = (one for one in self.indexes.values() if one.name not in self.old_indexes)
            new_indexes += given
        self.indexes.clear()  # which Alembic would make without their order and collations
        self.new_indexes.clear()
        naming = naming_table(self.table.name, self.temp_table_name)
        with remade(self.master, self.old_indexes), naming:
            super()._create(op_impl)
        for index in new_indexes:
            op_impl.create_index(with_new_names(index, self.renamed))

    def _checks(self) -> list[CheckConstraint]:
        constraints = [*self.named_constraints.values(), *self.unnamed_constraints]
        return [one for one in constraints if isinstance(one, CheckConstraint)]
