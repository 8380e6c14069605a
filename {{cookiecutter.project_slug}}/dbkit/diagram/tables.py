"""What the models say of each table, as plain data in an order that never changes."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import (
    Column,
    Dialect,
    ForeignKeyConstraint,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)
from sqlalchemy.exc import CompileError
from sqlalchemy.schema import AddConstraint, Constraint, CreateIndex, ExecutableDDLElement


@dataclass(frozen=True)
class ColumnEntry:
    """A column.

    Args:
        keys: some of `PK`, `FK` and `UK`, as Mermaid calls them.
        default: the server's, in SQL; "" if there is none.
        values: those of an enum.
    """

    name: str
    type: str
    keys: tuple[str, ...]
    is_nullable: bool
    default: str
    values: tuple[str, ...]
    comment: str


@dataclass(frozen=True)
class Reference:
    """A foreign key.

    Args:
        columns: those that refer.
        target: the table to which they refer.
        is_single: whether at most one row refers to a row there.
        is_optional: whether a row may refer to nothing.
    """

    columns: tuple[str, ...]
    target: str
    is_single: bool
    is_optional: bool


@dataclass(frozen=True)
class TableEntry:
    """A table; `constraints` and `indexes` in SQL, without the primary key."""

    name: str
    comment: str
    columns: tuple[ColumnEntry, ...]
    references: tuple[Reference, ...]
    constraints: tuple[str, ...]
    indexes: tuple[str, ...]


def read_tables(metadata: MetaData, dialect: Dialect) -> list[TableEntry]:
    """Return the tables of the models by name, with the types that `dialect` gives them.

    SQLAlchemy keeps constraints and indexes in sets, so they are sorted.

    Raises:
        SQLAlchemyError: a foreign key leads to a table that no model has.
    """
    return [_table(table, dialect) for _, table in sorted(metadata.tables.items())]


def _table(table: Table, dialect: Dialect) -> TableEntry:
    keys = [one for one in table.constraints if isinstance(one, ForeignKeyConstraint)]
    references = sorted(map(_reference, keys), key=lambda one: (one.columns, one.target))
    others = (one for one in table.constraints if not isinstance(one, PrimaryKeyConstraint))
    return TableEntry(
        table.fullname,
        table.comment or "",
        tuple(_column(column, dialect) for column in table.columns),
        tuple(references),
        tuple(sorted(filter(None, (_constraint(one, dialect) for one in others)))),
        tuple(sorted(_sql(CreateIndex(index), dialect) for index in table.indexes)),
    )


def _column(column: Column[object], dialect: Dialect) -> ColumnEntry:
    keys = (
        ("PK", column.primary_key),
        ("FK", bool(column.foreign_keys)),
        ("UK", not column.primary_key and _is_unique(column.table, [column])),
    )
    try:
        typed = column.type.compile(dialect=dialect)
    except CompileError:  # of another database
        typed = str(column.type)
    return ColumnEntry(
        str(column.name),
        typed,
        tuple(name for name, is_one in keys if is_one),
        bool(column.nullable),
        _default(column, dialect),
        tuple(map(str, getattr(column.type, "enums", ()))),
        column.comment or "",
    )


def _default(column: Column[object], dialect: Dialect) -> str:
    if column.computed is not None:
        return f"computed: {column.computed.sqltext}"
    if column.identity is not None:
        return "identity"
    text = dialect.ddl_compiler(dialect, None).get_column_default_string(column)  # type: ignore[arg-type]
    return text or ""


def _reference(key: ForeignKeyConstraint) -> Reference:
    return Reference(
        tuple(str(column.name) for column in key.columns),
        key.referred_table.fullname,
        _is_unique(key.table, key.columns),
        any(column.nullable for column in key.columns),
    )


def _is_unique(table: Table, columns: Iterable[Column[object]]) -> bool:
    """Tell whether no two rows of a table can have the same values in these columns."""
    names = {column.name for column in columns}
    unique = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
    indexes = [
        index
        for index in table.indexes
        if index.unique and len(index.expressions) == len(index.columns)
        if not any(one.get("where") is not None for one in index.dialect_options.values())
    ]
    found = [set(one.columns.keys()) for one in (table.primary_key, *unique)]
    found += [{column.key for column in index.columns} for index in indexes]
    return any(keys and {table.columns[key].name for key in keys} <= names for keys in found)


def _constraint(constraint: Constraint, dialect: Dialect) -> str:
    sql = _sql(AddConstraint(constraint, isolate_from_table=False), dialect)
    return sql.partition(" ADD ")[2]


def _sql(element: ExecutableDDLElement, dialect: Dialect) -> str:
    try:
        return " ".join(str(element.compile(dialect=dialect)).split())
    except CompileError:  # nothing of this database
        return ""
