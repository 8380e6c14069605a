"""Random models on real databases: what their pictures say of them, and of changes.

Half of the cases are PostgreSQL's. `SCHEMA_CASES=5000` tries more.
"""

import os
import random

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from dbkit.schema import Difference, Picture, differences, fingerprint
from support.random_models import Generator, Models, any_change, statements
from support.random_models.databases import picture_of, with_postgresql, with_sqlite
from support.random_models.items import EnumType, Sequence
from support.random_models.models import Table
from support.random_models.reporting import case
from support.random_models.shrinking import shrunk
from support.servers import PostgresServer

CASES = int(os.environ.get("SCHEMA_CASES", "50"))
GROUPS = 3  # for each database, so that several workers have something to do


@pytest.mark.parametrize("group", range(GROUPS))
def test_pictures_of_random_models_on_postgresql(postgres_server: PostgresServer, group: int) -> None:
    assert with_postgresql(postgres_server, lambda connection, _: failures(connection, group)) == ""


@pytest.mark.parametrize("group", range(GROUPS))
def test_pictures_of_random_models_on_sqlite(group: int) -> None:
    assert with_sqlite(lambda connection, _: failures(connection, group)) == ""


def failures(connection: Connection, group: int) -> str:
    """Return the first case of a group that goes wrong, made as small as it can be."""
    dialect = connection.dialect.name
    for seed in range(group, CASES // 2, GROUPS):
        generator = Generator(seed, dialect)
        before = generator.models()
        change, after = any_change(generator, before)
        if found := what_is_wrong(connection, before, after):
            small = shrunk(before, after, lambda *pair: same_kind(found, what_is_wrong(connection, *pair)))
            return f"{what_is_wrong(connection, *small)}\n{case(seed, dialect, change, *small)}"
    return ""


def same_kind(one: str, other: str | None) -> bool:
    return other is not None and one.partition(":")[0] == other.partition(":")[0]


def what_is_wrong(connection: Connection, before: Models, after: Models) -> str | None:
    """Return what pictures of the models say wrongly, or which models cannot be created."""
    schemas = before.schemas | after.schemas
    mixed = before.shuffled(random.Random(0))  # noqa: S311 - no secret
    try:
        first, same, second = (picture_of(connection, models, schemas) for models in (before, mixed, after))
    except SQLAlchemyError as error:
        return f"not created: {error}"
    if found := differences(first, same):
        return f"a false alarm: {found[0].describe('one order', 'another order')}"
    if fingerprint(first) != fingerprint(same):
        return "the same models have two fingerprints"
    changes = differences(first, second)
    sql = [sorted(statements(models.metadata(), connection.dialect)) for models in (before, after)]
    if not changes and sql[0] != sql[1]:
        return f"a change is not seen: {set(sql[0]) ^ set(sql[1])}"
    names = changed_names(before, after)
    for one in changes:
        owner = topmost(one, second if one.first is None else first)
        if not any(name in owner for name in names):
            return f"told, though nothing of it changed: {one.describe('before', 'after')}"
    return None


def changed_names(before: Models, after: Models) -> set[str]:
    """The names of tables, enum types and sequences that are not the same, also as SQL has them."""
    changed: set[Table | EnumType | Sequence] = set()
    changed |= {*before.tables} ^ {*after.tables}
    changed |= {*before.enums} ^ {*after.enums}
    changed |= {*before.sequences} ^ {*after.sequences}
    enums = {one.variable for one in changed if isinstance(one, EnumType)}
    changed |= {
        table
        for table in after.tables
        if not enums.isdisjoint(column.kind.source for column in table.columns)
    }
    return {name for one in changed for name in (one.name, one.name.replace('"', '""'))}


def topmost(one: Difference, picture: Picture) -> str:
    """The key of the table, type or sequence that a different object goes with."""
    key = one.key
    while parent := picture.objects[key].parent:
        key = parent
    return key
