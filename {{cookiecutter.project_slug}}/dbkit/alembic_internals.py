"""The private names of Alembic that have no public counterpart, each with the reason.

A test names the versions of Alembic that these were tried with.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic.ddl.impl import DefaultImpl
from alembic.operations import batch
from alembic.operations.batch import ApplyBatchImpl as AlembicsBatch
from alembic.operations.batch import BatchOperationsImpl as AlembicsOperations
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from sqlalchemy import MetaData, Sequence
    from sqlalchemy.types import TypeEngine

ChoosePath = Callable[[Path, str | PathLike[str], str, str | None], Path]
WhileWriting = Callable[[Path], AbstractContextManager[None]]


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


def replace_file_writing(script: ScriptDirectory, while_writing: WhileWriting) -> None:
    """Write new files inside of `while_writing(path)`.

    Alembic leaves half of a file where the disk is full, and has no hook around the writing.
    """
    alembics_writing = script._generate_template

    def write_file(template: Path, path: Path, **variables: Any) -> None:
        with while_writing(path):
            alembics_writing(template, path, **variables)

    writer: Any = write_file
    script._generate_template = writer  # type: ignore[method-assign]


def render_type(column_type: "TypeEngine[Any]", context: "AutogenContext") -> str:
    """Render a type as a revision has it, with the imports that it needs noted in `context`.

    A `render_item` hook can only answer with text; none of Alembic's public functions writes a
    single type: `render_python_code` takes operations, and `impl.render_type` knows those types
    alone that a dialect writes in its own way.
    """
    from alembic.autogenerate import render  # only what writes revisions needs it

    return render._repr_type(column_type, context)


def sequences_of(metadata: "MetaData") -> "list[Sequence]":
    """Return the sequences of models, those of no column among them, which nothing public lists."""
    return list(metadata._sequences.values())


def replace_batch(operations: type[AlembicsOperations], copy: type[AlembicsBatch]) -> None:
    """Let `operations` run `op.batch_alter_table`, and `copy` copy tables of SQLite there.

    Alembic loses what its reflection does not see, and has no hook between reading a table and
    copying it, nor one after the copy. https://github.com/sqlalchemy/alembic/issues/1207
    """

    def choose(impl: DefaultImpl, *arguments: Any, **keywords: Any) -> AlembicsBatch:
        is_ours = impl.dialect.name == "sqlite" and impl.connection is not None and not impl.as_sql
        return (copy if is_ours else AlembicsBatch)(impl, *arguments, **keywords)

    chosen: Any = choose
    batch.ApplyBatchImpl = chosen  # type: ignore[misc]
    batch.BatchOperationsImpl = operations  # type: ignore[misc]
