"""UNIQUE constraints with COLLATE or DESC, which SQLAlchemy does not know."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Table, UniqueConstraint
from sqlalchemy.ext.compiler import compiles

from dbkit.operations.sqlite_batches.completion import CONFLICT
from dbkit.schema.sqlite_sql import Statement
from dbkit.schema.sqlite_tokens import tokens_of


class DeclaredUnique(UniqueConstraint):
    """A UNIQUE constraint, written as it was declared."""

    declared = ""


@compiles(DeclaredUnique)
def _write(constraint: DeclaredUnique, compiler: Any, **_keywords: Any) -> str:
    is_named = constraint.name is not None
    name = compiler.preparer.format_constraint(constraint) if is_named else None
    conflict = constraint.dialect_kwargs.get(CONFLICT)
    head = f"CONSTRAINT {name} " if name else ""
    return f"{head}UNIQUE {constraint.declared}{f' ON CONFLICT {conflict}' if conflict else ''}"


def declare_unique(table: Table, statement: Statement, new: Collection[tuple[str, ...]]) -> None:
    """Let the UNIQUE constraints of a table be written as the text of another one has them.

    Args:
        new: the columns, in lower case, of those that are to be as they are.
    """
    for constraint in [*table.constraints]:
        if not isinstance(constraint, UniqueConstraint):
            continue
        names = lower_names(constraint)
        declared = statement.unique.get(names, "")
        if names in new or len(tokens_of(declared)) <= 2 * len(names) + 1:  # names and commas
            continue
        same = DeclaredUnique(*constraint.columns, name=constraint.name)
        same.declared = declared
        same.dialect_kwargs[CONFLICT] = constraint.dialect_kwargs.get(CONFLICT)
        table.constraints.remove(constraint)
        table.append_constraint(same)


def lower_names(constraint: UniqueConstraint) -> tuple[str, ...]:
    """Return the names of a constraint's columns in lower case."""
    return tuple(column.name.lower() for column in constraint.columns)
