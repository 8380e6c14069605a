"""What tables need and no operation of Alembic's makes: schemas and sequences."""

from collections.abc import Iterator

from alembic.operations import ops
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateSequence, DropSequence

from dbkit.autogenerate.statements import Statement
from dbkit.autogenerate.two_pictures import TwoPictures


def preparations(pictures: TwoPictures) -> Iterator[ops.MigrateOperation]:
    """Yield an operation for each schema and sequence that only the models have."""
    new = [one.second for one in pictures.differences() if one.first is None]
    for one in new:
        if one is not None and one.kind == "schema":
            yield Statement(f"CREATE SCHEMA {one.name}", f"DROP SCHEMA {one.name}")
    for one in new:
        if one is not None and one.kind == "sequence":
            sequence = pictures.scope.sequences[pictures.scope.key_of(one)]
            dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
            create = CreateSequence(sequence).compile(dialect=dialect)
            drop = DropSequence(sequence).compile(dialect=dialect)
            yield Statement(str(create), str(drop))
