"""What tables need and no operation of Alembic's makes: schemas, domains and sequences."""

from collections.abc import Iterator

from alembic.operations import ops
from sqlalchemy.dialects.postgresql import CreateDomainType, DropDomainType
from sqlalchemy.schema import CreateSequence, DropSequence, ExecutableDDLElement

from dbkit.autogenerate.enum_types import POSTGRESQL
from dbkit.autogenerate.statements import Statement
from dbkit.autogenerate.two_pictures import TwoPictures


def preparations(pictures: TwoPictures) -> Iterator[ops.MigrateOperation]:
    """Yield an operation for each schema, domain and sequence that only the models have."""
    scope = pictures.scope
    new = [one.second for one in pictures.differences() if one.first is None and one.second]
    for one in new:
        if one.kind == "schema":
            yield Statement(f"CREATE SCHEMA {one.name}", f"DROP SCHEMA {one.name}")
    for one in new:
        key = scope.key_of(one)
        if one.kind == "sequence":
            sequence = scope.sequences[key]
            yield _statement(CreateSequence(sequence), DropSequence(sequence))
        elif key in scope.domains:
            domain = scope.domains[key]
            yield _statement(CreateDomainType(domain), DropDomainType(domain))


def _statement(create: ExecutableDDLElement, drop: ExecutableDDLElement) -> Statement:
    return Statement(*(str(one.compile(dialect=POSTGRESQL)) for one in (create, drop)))
