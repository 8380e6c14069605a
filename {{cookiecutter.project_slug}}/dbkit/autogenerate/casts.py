"""Writes `postgresql_using` where PostgreSQL does not convert a column's type by itself.

A plug-in of Alembic's, which writes none. A default is not converted either: it is dropped before,
and set afterwards. https://www.postgresql.org/docs/current/sql-altertable.html
"""

import re
from collections.abc import Iterator

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.plugins import Plugin
from alembic.util import DispatchPriority, PriorityDispatchResult

from dbkit.autogenerate.defaults import changed_default
from dbkit.autogenerate.two_pictures import PICTURES, TwoPictures
from dbkit.schema import SchemaObject

NAME = "dbkit.casts"
# An assignment converts by a cast of such a context, and to every type of text.
# https://www.postgresql.org/docs/current/catalog-pg-cast.html
IS_ASSIGNED = """
    SELECT coalesce((SELECT typcategory = 'S' FROM pg_type WHERE oid = to_regtype($2)), false)
        OR EXISTS (SELECT FROM pg_cast WHERE castsource = to_regtype($1)
            AND casttarget = to_regtype($2) AND castcontext IN ('a', 'i'))
"""


class CastColumn(ops.AlterColumnOp):
    """A change of a column's type with `USING`.

    Alembic exchanges what is called `existing_using` and `modify_using` for the downgrade.
    """


@renderers.dispatch_for(CastColumn)
def _render(context: AutogenContext, op: CastColumn) -> str:
    plain = ops.AlterColumnOp(op.table_name, op.column_name)
    plain.__dict__.update(op.__dict__)
    text: str = renderers.dispatch(plain)(context, plain)
    using = op.kw["modify_using"]
    return f"{text.removesuffix(')')},\n{' ' * 11}postgresql_using={using!r})" if using else text


def compare(
    context: AutogenContext, upgrade: ops.UpgradeOps, _schemas: set[str | None]
) -> PriorityDispatchResult:
    """Add to each change of a type what it takes to convert values, both ways."""
    pictures: TwoPictures | None = context.migration_context.opts.get(PICTURES)
    if pictures is not None:
        for table in upgrade.ops:
            if isinstance(table, ops.ModifyTableOps):
                table.ops = [each for op in table.ops for each in _with_cast(op, context, pictures)]
                is_rewritten = any(isinstance(op, CastColumn) for op in table.ops)
                for op in table.ops:
                    op.info["stays"] = is_rewritten  # an index that may not fit the other type
    return PriorityDispatchResult.CONTINUE


Plugin(NAME).add_autogenerate_comparator(
    compare, "schema", "casts", qualifier="postgresql", priority=DispatchPriority.LAST
)


def _with_cast(
    op: ops.MigrateOperation, context: AutogenContext, pictures: TwoPictures
) -> Iterator[ops.MigrateOperation]:
    """Yield what takes the place of an operation: itself, if it changes no type."""
    if not isinstance(op, ops.AlterColumnOp) or op.modify_type is None:
        yield op
        return
    found, wanted = pictures.definitions("column", op.schema, op.table_name, op.column_name)
    old, new = (str((facets or {}).get("type")) for facets in (found, wanted))
    to_new, to_old = (_using(op, *pair, context, pictures) for pair in ((old, new), (new, old)))
    if not (to_new or to_old):
        yield op
        return
    cast = CastColumn(op.table_name, op.column_name)
    cast.__dict__.update(op.__dict__)
    cast.kw = {**op.kw, "modify_using": to_new, "existing_using": to_old}
    cast.existing_server_default = cast.modify_server_default = False
    before = op.existing_server_default
    after = before if op.modify_server_default is False else op.modify_server_default
    if before:
        yield changed_default(op, before, None, op.existing_type)
    yield cast
    if after:
        yield changed_default(op, None, after, op.modify_type)


def _using(
    op: ops.AlterColumnOp, old: str, new: str, context: AutogenContext, pictures: TwoPictures
) -> str | None:
    """Return the expression that makes a value of the type `new`; None if none is needed."""
    old_base, new_base = (re.sub(r"\([^)]*\)", "", kind) for kind in (old, new))
    if old_base == new_base:
        return None
    connection = context.connection
    pair = old_base.removesuffix("[]"), new_base.removesuffix("[]")
    if connection is None or connection.exec_driver_sql(IS_ASSIGNED, pair).scalar_one():
        return None
    column = context.dialect.identifier_preparer.quote(op.column_name)
    enums = {one.name for one in _enums(pictures)}
    if enums & {*pair}:  # only text is converted to an enum, and an enum to text alone
        column += "::text[]" if old.endswith("[]") else "::text"
    default = f"{pictures.scope.default_schema}."
    return f"{column}::{new.removeprefix(default)}"


def _enums(pictures: TwoPictures) -> Iterator[SchemaObject]:
    for picture in (pictures.found, pictures.wanted):
        yield from (one for one in picture.objects.values() if "enum" in one.definition)
