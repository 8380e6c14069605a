"""What is required of the revision of a random change: whether it would be noticed if it were wrong."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, MetaData

from dbkit.schema import Picture
from support.random_models import Generator, Models, any_change
from support.random_models.databases import build, clear, with_postgresql, with_sqlite
from support.random_models.revisions import Failure, attempt
from support.servers import PostgresServer

CASES = range(6)
Run = Callable[[Callable[[Connection, Connection], list[Failure | None]]], list[Failure | None]]


class Recreation:
    """A revision that makes everything anew, and forgets what a test wants it to.

    Args:
        connection: of the database to change.
        before: models to go back to.
        after: models to go to; those before, where the upgrade is to do nothing.
    """

    text = ""

    def __init__(self, connection: Connection, before: Models, after: Models, *, is_empty: bool) -> None:
        self.connection, self.before, self.after, self.is_empty = connection, before, after, is_empty

    def upgrade(self) -> None:
        self._make(self.after)

    def downgrade(self) -> None:
        self._make(self.before)

    def _make(self, models: Models) -> None:
        schemas = self.before.schemas | (self.after.schemas if models is self.after else set())
        clear(self.connection)
        build(self.connection, models, schemas)


@pytest.fixture(params=["postgresql", "sqlite"])
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def attempts(dialect: str, request: pytest.FixtureRequest) -> Run:
    if dialect == "sqlite":
        return with_sqlite
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return lambda run: with_postgresql(server, run)


def results(attempts: Run, dialect: str, *, up: bool = True, down: bool = True) -> list[str]:
    """The stages at which the cases fail, "" for those that do not."""

    def run(a: Connection, b: Connection) -> list[Failure | None]:
        return [one_case(a, b, seed) for seed in CASES]

    def one_case(a: Connection, b: Connection, seed: int) -> Failure | None:
        generator = Generator(seed, dialect)
        before = generator.models()
        _, after = any_change(generator, before)
        written = 0

        def write(connection: Connection, _: MetaData, _found: Picture) -> Recreation:
            nonlocal written
            written += 1
            goals = (before if down else after), (after if up else before)
            return Recreation(connection, *goals, is_empty=written > 1)

        return attempt(a, b, before, after, write)

    return [failure.stage if failure else "" for failure in attempts(run)]


@pytest.mark.first_on("sqlite")
def test_a_revision_that_is_right_is_accepted(attempts: Run, dialect: str) -> None:
    assert results(attempts, dialect) == [""] * len(CASES)


@pytest.mark.first_on("sqlite")
def test_an_upgrade_that_does_nothing_is_noticed(attempts: Run, dialect: str) -> None:
    assert results(attempts, dialect, up=False) == ["A is not B"] * len(CASES)


@pytest.mark.first_on("sqlite")
def test_a_downgrade_that_does_nothing_is_noticed(attempts: Run, dialect: str) -> None:
    assert results(attempts, dialect, down=False) == ["down leaves"] * len(CASES)
