"""Changed options of tables on SQLite: STRICT, WITHOUT ROWID and AUTOINCREMENT, by a batch.

https://alembic.sqlalchemy.org/en/latest/batch.html
"""

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from sqlalchemy import Table

from dbkit.autogenerate.two_pictures import TwoPictures
from dbkit.schema import Picture

Options = dict[str, bool]


class ReplaceOptions(ops.MigrateOperation):
    """Makes a table anew with other options.

    Args:
        table: its name.
        old: the keywords of `sqlalchemy.Table` that differ, as they are.
        new: the same as they shall be.
    """

    def __init__(self, table: str, old: Options, new: Options) -> None:
        self.table, self.old, self.new = table, old, new

    def reverse(self) -> "ReplaceOptions":
        return ReplaceOptions(self.table, self.new, self.old)


@renderers.dispatch_for(ReplaceOptions)
def _render(_context: AutogenContext, op: ReplaceOptions) -> str:
    return (
        f'with op.batch_alter_table({op.table!r}, recreate="always", table_kwargs={op.new!r}):\n'
        "    pass"
    )


def write_options(upgrade: ops.UpgradeOps, pictures: TwoPictures) -> None:
    """Add an operation for each table whose options differ; after all others, which it copies."""
    for table in pictures.scope.tables:
        if f"table {table.name}" not in pictures.found.objects:
            continue
        old, new = (_options(picture, table) for picture in (pictures.found, pictures.wanted))
        differs = [name for name in new if old[name] != new[name]]
        if differs:
            before, after = ({name: each[name] for name in differs} for each in (old, new))
            upgrade.ops.append(ReplaceOptions(table.name, before, after))


def _options(picture: Picture, table: Table) -> Options:
    options = picture.objects[f"table {table.name}"].definition
    return {
        "sqlite_strict": "strict" in options,
        "sqlite_with_rowid": "without rowid" not in options,
        "sqlite_autoincrement": any(
            one.parent == f"table {table.name}" and "autoincrement" in one.definition
            for one in picture.objects.values()
        ),
    }
