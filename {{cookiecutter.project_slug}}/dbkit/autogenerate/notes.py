"""Lines for whoever reads a new revision, which are printed, and comments in the file."""

from collections.abc import Iterable, Iterator

from alembic.operations import ops

NOTES = "notes"  # where an operation keeps them, in its `info`


def notes_of(operations: Iterable[ops.MigrateOperation]) -> Iterator[str]:
    """Yield the notes of operations, and of those inside of them."""
    for op in operations:
        yield from op.info.get(NOTES, ())
        if isinstance(op, ops.OpContainer):
            yield from notes_of(op.ops)
