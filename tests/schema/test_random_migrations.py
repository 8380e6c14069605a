"""Random changes of random models: the revision that the kit writes is right, up and down.

After its upgrade, a database is what `create_all` makes of the models; another revision would be
empty; after its downgrade, the database is what it was. `SCHEMA_CASES=5000` tries more.
"""

import os

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from support.random_models import Generator, Models, any_change
from support.random_models.databases import with_postgresql, with_sqlite
from support.random_models.our_writer import OurRevision
from support.random_models.reporting import case
from support.random_models.revisions import Failure, attempt
from support.random_models.shrinking import shrunk
from support.servers import PostgresServer

CASES = int(os.environ.get("SCHEMA_CASES", "200"))
GROUPS = 3  # for each database, so that several workers have something to do
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning", "ignore::UserWarning")


@pytest.mark.parametrize("group", range(GROUPS))
def test_revisions_of_random_changes_on_postgresql(postgres_server: PostgresServer, group: int) -> None:
    cases = range(group, CASES // 3, GROUPS)
    assert with_postgresql(postgres_server, lambda a, b: first_failure(a, b, cases)) == ""


@pytest.mark.parametrize("group", range(GROUPS))
def test_revisions_of_random_changes_on_sqlite(group: int) -> None:
    cases = range(group, CASES - CASES // 3, GROUPS)
    assert with_sqlite(lambda a, b: first_failure(a, b, cases)) == ""


def first_failure(a: Connection, b: Connection, seeds: range) -> str:
    """Return the first case that goes wrong, made as small as it can be."""
    dialect = a.dialect.name
    for seed in seeds:
        generator = Generator(seed, dialect)
        before = generator.models()
        change, after = any_change(generator, before)
        if found := attempt(a, b, before, after, OurRevision):
            small = shrunk(before, after, lambda *pair: is_same(found, retried(a, b, pair)))
            again = retried(a, b, small) or found
            return f"{again.stage}: {again.text}\n{again.revision}\n{case(seed, dialect, change, *small)}"
    return ""


def retried(a: Connection, b: Connection, models: tuple[Models, Models]) -> Failure | None:
    before, after = models
    try:
        return attempt(a, b, before, after, OurRevision)
    except SQLAlchemyError:  # smaller models that no database takes: a type, say, that a default wants
        return None


def is_same(one: Failure, other: Failure | None) -> bool:
    return other is not None and (one.stage, one.kind) == (other.stage, other.kind)
