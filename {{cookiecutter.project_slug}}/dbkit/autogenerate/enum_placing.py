"""Puts changes of enum types where they work, among those of tables."""

from collections.abc import Iterator
from typing import Any

from alembic.operations import ops

from dbkit.autogenerate.defaults import changed_default
from dbkit.autogenerate.enum_changes import DropEnum, EnumChange, ReplaceEnumValues
from dbkit.autogenerate.two_pictures import TwoPictures
from dbkit.schema import Facets


def place_enums(upgrade: ops.UpgradeOps, pictures: TwoPictures) -> None:
    """Put changes of enum types where they work, and in reverse order, too.

    New types and values come before the tables, types that go come last. A type gets other values
    when what has its old ones in its definition is dropped, and before the new ones are used.
    """
    changes = [op for op in upgrade.ops if isinstance(op, EnumChange)]
    rest = [op for op in upgrade.ops if not isinstance(op, EnumChange)]
    tables = (ops.CreateTableOp, ops.DropTableOp, ops.ModifyTableOps)
    first = [op for op in rest if not isinstance(op, tables)]
    rest = [op for op in rest if isinstance(op, tables)]
    replaced = [op for op in changes if type(op) is ReplaceEnumValues]
    dropped = [op for op in changes if isinstance(op, DropEnum)]
    upgrade.ops = [
        *first,
        *(op for op in changes if op not in replaced and op not in dropped),
        *_dropped_before(rest, replaced, pictures),
        *replaced,
        *rest,
        *dropped,
    ]


def _dropped_before(
    rest: list[ops.MigrateOperation], replaced: list[ReplaceEnumValues], pictures: TwoPictures
) -> Iterator[ops.ModifyTableOps]:
    """Take out of tables' changes what drops uses of old values.

    A default is dropped first and set afterwards.
    """
    scope = pictures.scope
    names = {scope.key("type", op.schema, op.name) for op in replaced}
    types = [one.name for one in pictures.found.objects.values() if scope.key_of(one) in names]

    def uses(facets: Facets | None) -> bool:
        texts = [text for text in (facets or {}).values() if isinstance(text, str)]
        return any(f"'::{name}" in text for name in types for text in texts)

    def leaves(found: Facets | None, wanted: Facets | None) -> bool:
        """Tell whether a column is of such a type no more, whose rows may have values that go."""
        kinds = [str((facets or {}).get("type")).removesuffix("[]") for facets in (found, wanted)]
        return kinds[0] in types and kinds[1] not in types

    for table in [op for op in rest if isinstance(op, ops.ModifyTableOps) and replaced]:
        early: list[ops.MigrateOperation] = []
        late: list[ops.MigrateOperation] = []
        for op in table.ops:
            found, wanted = _definitions(op, pictures)
            if isinstance(op, ops.AlterColumnOp) and leaves(found, wanted):
                early.append(op)
            elif isinstance(op, ops.AlterColumnOp) and op.modify_server_default is not False:
                if uses(found):
                    before = op.existing_server_default
                    early.append(changed_default(op, before, None, op.existing_type))
                    op.existing_server_default = None
                late.append(op)
            elif isinstance(op, ops.DropIndexOp | ops.DropConstraintOp) and uses(found):
                early.append(op)
                op.info["stays"] = True
            else:
                late.append(op)
                op.info["stays"] = op.info.get("stays") or uses(found) or uses(wanted)
        table.ops = late
        if early:
            yield ops.ModifyTableOps(table.table_name, early, schema=table.schema)


def _definitions(
    op: ops.MigrateOperation, pictures: TwoPictures
) -> tuple[Facets | None, Facets | None]:
    """Return what both pictures say of the object that an operation is about."""
    key: tuple[Any, ...]
    match op:
        case ops.AlterColumnOp():
            key = ("column", op.schema, op.table_name, op.column_name)
        case ops.CreateIndexOp() | ops.DropIndexOp():
            key = ("index", op.schema, str(op.index_name))
        case ops.DropConstraintOp():
            key = ("constraint", op.schema, op.table_name, str(op.constraint_name))
        case _:
            return None, None
    return pictures.definitions(*key)
