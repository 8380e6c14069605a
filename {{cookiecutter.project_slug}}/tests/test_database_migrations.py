"""The revisions, run for real: `pytest tests/test_database_migrations.py`."""

import asyncio
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from alembic import command
from alembic.util import CommandError
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from dbkit.config import alembic_config
from dbkit.connection import DatabaseURL, connect
from dbkit.environment import load_options
from dbkit.errors import error_text
from dbkit.revisions import is_baseline, scripts

# Rows that have to live through every later revision, and back: the revision after which they are
# inserted, the table, the values. Add a line for each table whose data you would miss, a parent
# before its child. Values are Python's: UUID, datetime, Decimal, None; JSON is a text.
EXAMPLE = "5f3a9c1e7b24"
ROWS: list[tuple[str, str, dict[str, Any]]] = [
    (
        EXAMPLE,
        "users",
        {
            "id": UUID("01890000-0000-7000-8000-000000000001"),
            "email": "ada@example.com",
            "name": "Ada O'Brien",
        },
    ),
]

HERE = "tests/test_database_migrations.py"
REVISIONS = list(reversed(list(scripts().walk_revisions())))
# What `make migration-baseline` wrote, or nothing at all: no downgrade leads below it.
BASE = next((each.revision for each in REVISIONS if is_baseline(each)), "base")


def with_connection(database: DatabaseURL, work: Any, *arguments: Any) -> Any:
    async def run() -> Any:
        async with connect(database) as connection:
            return await connection.run_sync(work, *arguments)

    return asyncio.run(run())


def schema(connection: Connection) -> dict[str, Any]:
    """Everything that a revision could leave behind, in a form that can be compared."""
    inspector = inspect(connection)
    found: dict[str, Any] = {
        table: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(table)
            },
            "indexes": sorted(str(index) for index in inspector.get_indexes(table)),
            "unique": sorted(str(item) for item in inspector.get_unique_constraints(table)),
            "foreign": sorted(str(item) for item in inspector.get_foreign_keys(table)),
            "check": sorted(str(item) for item in inspector.get_check_constraints(table)),
        }
        for table in inspector.get_table_names()
        if table not in (load_options().version_table, "alembic_history")
    }
    if connection.dialect.name == "postgresql":
        found["types"] = connection.scalars(
            text("SELECT typname FROM pg_type WHERE typtype = 'e' ORDER BY typname")
        ).all()
    return found


def test_there_is_one_head_at_most() -> None:
    assert len(scripts().get_heads()) <= 1


def test_up_down_to_base_and_up_again(empty_database: DatabaseURL) -> None:
    config = alembic_config(empty_database)
    if BASE != "base":
        command.upgrade(config, BASE)
    before = with_connection(empty_database, schema)
    command.upgrade(config, "head")
    built = with_connection(empty_database, schema)
    command.downgrade(config, BASE)
    assert with_connection(empty_database, schema) == before
    command.upgrade(config, "head")
    assert with_connection(empty_database, schema) == built


def test_the_models_and_the_revisions_agree(empty_database: DatabaseURL) -> None:
    config = alembic_config(empty_database)
    command.upgrade(config, "head")
    command.check(config)


def test_every_revision_has_a_working_downgrade(empty_database: DatabaseURL) -> None:
    config = alembic_config(empty_database)
    for revision in REVISIONS:
        if revision.is_merge_point or is_baseline(revision):
            command.upgrade(config, revision.revision)
            continue
        before = with_connection(empty_database, schema)
        command.upgrade(config, revision.revision)
        command.downgrade(config, f"{revision.revision}-1")
        assert with_connection(empty_database, schema) == before, revision.path
        command.upgrade(config, revision.revision)


Row = tuple[str, Mapping[str, Any]]


def insert(connection: Connection, table: str, values: Mapping[str, Any]) -> None:
    names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
    if connection.dialect.name == "sqlite":
        values = {name: as_sqlite_keeps_it(value) for name, value in values.items()}
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)


def as_sqlite_keeps_it(value: object) -> object:
    if isinstance(value, UUID):
        return value.hex
    return str(value) if isinstance(value, date | time | Decimal) else value


def read(connection: Connection, rows: list[Row]) -> list[Any]:
    found = []
    for table in dict.fromkeys(table for table, _ in rows):
        names = dict.fromkeys(name for other, row in rows if other == table for name in row)
        found.append(
            sorted(map(repr, connection.execute(text(f"SELECT {', '.join(names)} FROM {table}"))))
        )
    return found


def with_rows(database: DatabaseURL, work: Any, *arguments: Any) -> Any:
    """Run `work`, and say in a line what does not suit the tables."""
    try:
        return with_connection(database, work, *arguments)
    except DBAPIError as error:
        pytest.fail(f"ROWS of {HERE}: {error_text(error)}", pytrace=False)


@pytest.mark.parametrize("revision", list(dict.fromkeys(revision for revision, _, _ in ROWS)))
def test_data_written_before_a_revision_survives_up_down_up(
    empty_database: DatabaseURL, revision: str
) -> None:
    known = [script.revision for script in REVISIONS]
    if revision == EXAMPLE and revision not in known:
        pytest.skip("the example is gone: its entry in ROWS can go, too")
    if revision not in known:
        pytest.fail(f"ROWS of {HERE}: there is no revision {revision}", pytrace=False)
    config, written = alembic_config(empty_database), list[Row]()
    for step in known[: known.index(revision) + 1]:
        rows = [(table, values) for after, table, values in ROWS if after == step]
        if rows:
            command.upgrade(config, step)
            for table, values in rows:
                with_rows(empty_database, insert, table, values)
        written += rows
    before = with_rows(empty_database, read, written)
    try:
        for move, target in (
            (command.upgrade, "head"),
            (command.downgrade, revision),
            (command.upgrade, "head"),
        ):
            move(config, target)
            assert with_rows(empty_database, read, written) == before
    except CommandError as error:
        pytest.fail(f"with ROWS of {HERE}: {error}", pytrace=False)


def test_each_revision_belongs_to_a_file_of_its_own() -> None:
    paths = [revision.path for revision in REVISIONS]
    assert len(set(paths)) == len(REVISIONS)
