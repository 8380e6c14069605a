"""Checks and names the files that new revisions are written to."""

import os
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from dbkit.alembic_internals import replace_file_naming, replace_file_writing
from dbkit.revisions.errors import several_heads
from dbkit.revisions.loader import is_known


def docstring(message: str) -> str:
    r"""Escape `message` for its place between triple quotes in Python source.

    Used by `alembic/script.py.mako`. Quotes and backslashes end no string and start no escape;
    what no editor shows (control characters, direction marks) becomes `\uXXXX`.
    """
    text = message.replace("\\", "\\\\").replace('"', '\\"')
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode()
        for char in text
    )


def comment(note: str) -> str:
    """Return a note on one line: names and SQL of a database may have several, which would run."""
    return " ".join(note.splitlines())


def body(statements: str) -> str:
    """Return `statements` of a generated revision without Alembic's comments around them."""
    lines = [line for line in statements.splitlines() if not line.strip().startswith("# ###")]
    return "\n".join(lines).strip()


def check_message(message: str | None, arguments: Mapping[str, Any]) -> None:
    """Raise `CommandError` unless `message` has a letter or digit to name a file after.

    Args:
        arguments: those of `alembic revision`; none for `merge`.
    """
    if any(char.isalnum() for char in message or ""):
        return
    example = 'migration-empty MSG="fill phone of users"' if arguments else "migration-merge"
    if arguments.get("autogenerate"):
        example = 'migration MSG="add phone to users"'
    raise CommandError(f"a revision needs a message with a letter or digit: make {example}")


def check_command(
    script: ScriptDirectory, command_line: Namespace | None, arguments: Mapping[str, Any]
) -> None:
    """Raise `CommandError` for what could not become a file, before any work is done for it.

    Args:
        arguments: those of `alembic revision` or `check`; none for `merge`.
    """
    several = len(script.get_heads()) > 1
    if not arguments:
        if not several and not getattr(command_line, "splice", False):
            raise CommandError("there is one head only: nothing to merge")
        return
    # Code that calls Alembic's commands gives no command line; its `check` has no message.
    is_revision = command_line is not None and command_line.cmd[0] is command.revision
    if is_revision or arguments["message"] is not None:
        check_message(arguments["message"], arguments)
        if several and arguments["head"] in (None, "head"):
            raise several_heads(script)


def protect_files(script: ScriptDirectory, arguments: Mapping[str, Any]) -> None:
    """Let no new revision of this command overwrite a file or repeat an identifier.

    Nor may it come after what another command has written meanwhile, or be half of a file.
    Alembic names files in one place, whether it autogenerates, merges or writes an empty one.

    Args:
        arguments: those of `alembic revision`; none for `merge`.
    """

    def free_path(
        alembics_path: Path, folder: str | PathLike[str], rev_id: str, message: str | None
    ) -> Path:
        check_message(message, arguments)
        if not os.access(folder, os.W_OK):
            raise CommandError(f"{folder} cannot be written to")
        if is_known(script, rev_id):
            raise CommandError(f"revision {rev_id} exists already")
        if others := _written_meanwhile(script, Path(folder)):
            raise CommandError(
                f"another command has written {' and '.join(others)} meanwhile: read that, "
                "and type this again if it is still needed"
            )
        path = alembics_path
        number = 2
        while path.exists():
            path = alembics_path.with_stem(f"{alembics_path.stem}_{number}")
            number += 1
        return path

    replace_file_naming(script, free_path)
    replace_file_writing(script, all_or_nothing)


def _written_meanwhile(script: ScriptDirectory, folder: Path) -> list[str]:
    """Return files that this command has not read, with revisions after the same parent perhaps."""
    known = {Path(one.path).name for one in script.walk_revisions()}
    names = (path.name for path in folder.glob("*.py") if not path.name.startswith((".", "__init")))
    return sorted({*names} - known)


@contextmanager
def all_or_nothing(path: Path) -> Iterator[None]:
    """Remove what was begun of a file: Alembic reads every one of the folder.

    Raises:
        CommandError: it cannot be written, because the disk is full, say.
    """
    try:
        yield
    except OSError as error:
        path.unlink(missing_ok=True)
        raise CommandError(f"{path.name} is not written: {error.strerror}") from error
