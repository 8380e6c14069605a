"""Reads an SQL file of a revision, or says in a line why it cannot be one."""

import re
from collections.abc import Iterator
from pathlib import Path

from alembic.util import CommandError

from dbkit import PROJECT
from dbkit.sql_files.names import find_names
from dbkit.sql_files.statements import NotSQL, Statement, split

# A revision is in a transaction already, and its version is written in the same one.
TRANSACTION = re.compile(
    r"(BEGIN|START\s+TRANSACTION|COMMIT|END|ABORT|PREPARE\s+TRANSACTION|ROLLBACK(?!\b.*\bTO\b))\b",
    re.IGNORECASE | re.DOTALL,
)
COPY = re.compile(r"COPY\b[^;]*\bFROM\s+STDIN\b", re.IGNORECASE)


def check_files(revision: Path, dialect: str) -> None:
    """Raise `CommandError` if a file that `revision` runs cannot be run.

    Files in branches (`if`, `try`) may be for another database: what is in them is looked at when
    they are run.
    """
    source = revision.read_text(encoding="utf-8")
    try:
        for name in find_names(source):
            read_text(revision, name)
        for name in find_names(source, branches=False):
            read_statements(revision, name, dialect)
    except CommandError as error:
        raise CommandError(f"{error}; nothing was run") from None


def read_statements(revision: Path, name: str, dialect: str) -> list[Statement]:
    """Return the statements of the file `name` of a revision.

    Raises:
        CommandError: the file cannot be read, or has something that does not belong there.
    """
    text = read_text(revision, name)
    try:
        return list(_checked(split(text, dialect), name))
    except NotSQL as error:
        program = "psql" if dialect == "postgresql" else "the sqlite3 shell"
        raise CommandError(
            f"{name}:{error.line}: {error.command} is a command of {program}, and no SQL: take it "
            "out"
        ) from None


def read_text(revision: Path, name: str) -> str:
    """Return the text of the file `name` beside a revision, whatever its line ends.

    Raises:
        CommandError: it is missing, outside of the project, or not UTF-8.
    """
    path = revision.parent / name
    is_inside = path.resolve().is_relative_to(PROJECT.resolve())  # where a link leads counts
    if Path(name).is_absolute() or ".." in Path(name).parts or not is_inside:
        raise CommandError(
            f"{revision.name}: {name} is outside of the folder of the revision, which it belongs "
            "to: move it there"
        )
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(
            f"{name}: byte {error.start + 1} is not UTF-8: save the file in UTF-8"
        ) from None
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        reason = "is not beside it: was it never committed?" if missing else str(error.strerror)
        raise CommandError(f"{revision.name}: {name} {reason}") from None


def _checked(statements: Iterator[Statement], name: str) -> Iterator[Statement]:
    for statement in statements:
        if COPY.match(statement.text):
            raise CommandError(
                f"{name}:{statement.line}: COPY … FROM stdin waits for rows that psql would send: "
                "write INSERT instead"
            )
        if found := TRANSACTION.match(statement.text):
            raise CommandError(
                f"{name}:{statement.line}: {found[0].upper()}: a revision runs in a transaction "
                "that it neither begins nor ends: take it out"
            )
        yield statement
