"""The private names of Alembic that have no public counterpart, each with the reason.

A test names the versions of Alembic that these were tried with.
"""

import warnings
from collections.abc import Callable
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any

from alembic.autogenerate import render
from alembic.autogenerate.api import AutogenContext
from alembic.script import ScriptDirectory
from alembic.util.sqla_compat import _get_constraint_final_name
from sqlalchemy import Constraint, Dialect, Index
from sqlalchemy.types import TypeEngine

ChoosePath = Callable[[Path, str | PathLike[str], str, str | None], Path]


def replace_file_naming(script: ScriptDirectory, choose_path: ChoosePath) -> None:
    """Let `choose_path(Alembic's path, folder, revision id, message)` name new files.

    `file_template` cannot count: a second revision with the same message in the same minute would
    overwrite the first. Alembic has no hook between the name and the writing.
    """
    alembics_naming = script._rev_path

    def name_file(
        folder: str | PathLike[str], rev_id: str, message: str | None, create_date: datetime
    ) -> Path:
        alembics_path = alembics_naming(folder, rev_id, message, create_date)
        return choose_path(alembics_path, folder, rev_id, message)

    namer: Any = name_file
    script._rev_path = namer  # type: ignore[method-assign]


def render_type(column_type: TypeEngine[Any], context: AutogenContext) -> str:
    """Return the Python source of a type, with its imports noted in `context`.

    `render_item` is asked for a type and may only answer with source or leave it to Alembic, which
    has no public function to render another type in its place.
    """
    return render._repr_type(column_type, context)


def says_cannot_be_modified(warning: warnings.WarningMessage) -> bool:
    """Tell whether Alembic warns that it sees a changed computed column and can write nothing.

    It raises no operation for it, and its warnings have no class of their own: only the text
    tells this one from others.
    """
    return warning.category is UserWarning and "cannot be modified" in str(warning.message)


def final_constraint_name(constraint: Constraint | Index, dialect: Dialect) -> str:
    """Return the name of a constraint or index in the database, with its prefix, not quoted.

    `preparer.format_constraint` is public, but returns it quoted: no use in a catalogue query.
    """
    return str(_get_constraint_final_name(constraint, dialect))
