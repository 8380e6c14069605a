"""CHECKs that stand inside of a column, which Alembic overlooks: it writes those of a table.

https://github.com/sqlalchemy/alembic/issues/508
"""

from collections.abc import Iterator

from alembic.operations import ops
from sqlalchemy import CheckConstraint, Dialect, MetaData, Table, TextClause, text
from sqlalchemy.schema import conv

from dbkit.autogenerate.statements import escaped
from dbkit.autogenerate.two_pictures import TwoPictures, final_name


def column_checks(table: Table, dialect: Dialect) -> Iterator[CheckConstraint]:
    """Yield the CHECKs inside of a table's columns as CHECKs of a table that is called the same."""
    owner = Table(table.name, MetaData(), schema=table.schema)
    for column in table.columns:
        for item in sorted(column.constraints, key=lambda one: str(one.name)):
            if not isinstance(item, CheckConstraint):
                continue
            name, condition = final_name(item, dialect), item.sqltext
            if not isinstance(condition, TextClause):
                compiled = condition.compile(
                    dialect=dialect, compile_kwargs={"literal_binds": True, "include_table": False}
                )
                condition = text(escaped(str(compiled)))
            yield CheckConstraint(condition, name=conv(name) if name else None, table=owner)


def write_column_checks(upgrade: ops.UpgradeOps, pictures: TwoPictures) -> None:
    """Let new tables have the CHECKs that the models have inside of columns."""
    tables = {(table.schema, table.name): table for table in pictures.scope.tables}
    for op in upgrade.ops:
        if isinstance(op, ops.CreateTableOp):
            table = tables.get((op.schema, op.table_name))
            if table is not None:
                op.columns = [*op.columns, *column_checks(table, pictures.dialect)]
