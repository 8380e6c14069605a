"""Changed primary keys on SQLite, which Alembic neither compares nor can write.

On PostgreSQL, SQL is written for what two pictures show of a constraint. On SQLite, a batch makes
the table anew. https://alembic.sqlalchemy.org/en/latest/batch.html
"""

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from sqlalchemy import Table

from dbkit.autogenerate.table_changes import changes_of
from dbkit.autogenerate.two_pictures import TwoPictures, final_name
from dbkit.schema import Picture

KEY = "primary key"  # the property of a column that says which part of the key it is


class ReplacePrimaryKey(ops.MigrateOperation):
    """Gives a table another primary key, in a batch.

    Args:
        name: that of the constraint.
        old: the columns that it has.
        new: the columns that it gets.
    """

    def __init__(self, name: str | None, old: list[str], new: list[str]) -> None:
        self.name, self.old, self.new = name, old, new

    def reverse(self) -> "ReplacePrimaryKey":
        return ReplacePrimaryKey(self.name, self.new, self.old)


@renderers.dispatch_for(ReplacePrimaryKey)
def _render(_context: AutogenContext, op: ReplacePrimaryKey) -> list[str]:
    name = f"op.f({op.name!r})" if op.name else "None"
    lines = []
    if op.old:
        lines.append(f'batch_op.drop_constraint({name}, type_="primary")')
    if op.new:
        lines.append(f"batch_op.create_primary_key({name}, {op.new!r})")
    return lines


def write_primary_keys(upgrade: ops.UpgradeOps, pictures: TwoPictures) -> None:
    """Add an operation to the changes of each table whose primary key differs."""
    for table in pictures.scope.tables:
        old, new = (_key(picture, table) for picture in (pictures.found, pictures.wanted))
        if f"table {table.name}" not in pictures.found.objects or old == new:
            continue
        name = final_name(table.primary_key, pictures.dialect)
        changes_of(upgrade, table).ops.append(ReplacePrimaryKey(name, old, new))


def _key(picture: Picture, table: Table) -> list[str]:
    """Return the names of the columns of a table's primary key, in their order."""
    parts = {
        one.definition[KEY]: one.name.removeprefix(f"{table.name}.")
        for one in picture.objects.values()
        if one.kind == "column" and one.parent == f"table {table.name}" and KEY in one.definition
    }
    return [parts[number] for number in sorted(parts)]
