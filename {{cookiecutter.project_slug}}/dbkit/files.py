"""Writes a file as a whole or not at all, and not if it says the same already."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from alembic.util import CommandError

from dbkit import PROJECT


def write_file(path: Path, text: str) -> bool:
    """Write a text of the project; whoever reads it meanwhile finds the old one or the new one.

    Returns:
        Whether it was written: False if the file has that text already.

    Raises:
        CommandError: it cannot be written; one line.
    """
    content = text.encode()
    try:
        if path.exists() and path.read_bytes() == content:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(number, "wb") as file:
                file.write(content)
            # `mkstemp` lets the owner alone read it, which is not what `open` does.
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        shown = path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path
        raise CommandError(f"{shown} cannot be written: {error.strerror}") from None
    return True


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
