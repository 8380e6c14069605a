"""Writes `postgresql_using` where PostgreSQL does not convert a column's type by itself.

A plug-in of Alembic's, which writes none. A default is not converted either: it is dropped before,
and set afterwards. https://www.postgresql.org/docs/current/sql-altertable.html
"""

from collections.abc import Iterator

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.plugins import Plugin
from alembic.util import DispatchPriority, PriorityDispatchResult

from dbkit.autogenerate.conversions import Conversions
from dbkit.autogenerate.defaults import changed_default
from dbkit.autogenerate.notes import NOTES
from dbkit.autogenerate.two_pictures import PICTURES, TwoPictures
from dbkit.autogenerate.type_notes import type_notes

NAME = "dbkit.casts"


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
        conversions = _conversions(context, pictures)
        for table in upgrade.ops:
            if isinstance(table, ops.ModifyTableOps):
                table.ops = [
                    each for op in table.ops for each in _with_cast(op, conversions, pictures)
                ]
                is_rewritten = any(isinstance(op, CastColumn) for op in table.ops)
                for op in table.ops:
                    op.info["stays"] = is_rewritten  # an index that may not fit the other type
    return PriorityDispatchResult.CONTINUE


Plugin(NAME).add_autogenerate_comparator(
    compare, "schema", "casts", qualifier="postgresql", priority=DispatchPriority.LAST
)


def _with_cast(
    op: ops.MigrateOperation, conversions: Conversions, pictures: TwoPictures
) -> Iterator[ops.MigrateOperation]:
    """Yield what takes the place of an operation: itself, if it changes no type."""
    if not isinstance(op, ops.AlterColumnOp) or op.modify_type is None:
        yield op
        return
    found, wanted = pictures.definitions("column", op.schema, op.table_name, op.column_name)
    if found is None or wanted is None:
        yield op
        return
    old, new = (_base_type(str(facets["type"]), pictures) for facets in (found, wanted))
    column = pictures.dialect.identifier_preparer.quote(op.column_name)
    to_new, to_old = conversions.both_ways(column, old, new)
    op.info[NOTES] = [
        *type_notes(op, old, new, to_new, conversions),
        *type_notes(op, new, old, to_old, conversions, "in the downgrade, "),
    ]
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


def _base_type(kind: str, pictures: TwoPictures) -> str:
    """Return what a domain is made of, which values are converted to; other types as they are."""
    element = kind.removesuffix("[]")
    for picture in (pictures.wanted, pictures.scope.found):
        domain = picture.objects.get(f"type {element}")
        if domain is not None and "domain of" in domain.definition:
            return str(domain.definition["domain of"]) + kind[len(element) :]
    return kind


def _conversions(context: AutogenContext, pictures: TwoPictures) -> Conversions:
    assert context.connection is not None  # noqa: S101 - for the type checker
    enums: dict[str, dict[str, None]] = {}  # each value once
    for picture in (pictures.found, pictures.wanted):
        for one in picture.objects.values():
            if "enum" in one.definition:
                enums.setdefault(one.name, {}).update(dict.fromkeys(one.definition["enum"]))
    return Conversions(context.connection, enums, str(pictures.scope.default_schema))
