"""The revisions, run for real: `pytest tests/test_database_migrations.py`."""

import asyncio
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, inspect, text

from dbkit.config import alembic_config
from dbkit.connection import DatabaseURL, connect
from dbkit.environment import load_options
from dbkit.revisions import scripts

# Rows that have to live through every later revision, and back: the revision after which they are
# inserted, the table, the values. Add a line for each table whose data you would miss.
ROWS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "5f3a9c1e7b24",
        "users",
        {"id": "01890000000070008000000000000001", "email": "ada@example.com", "name": "Ada"},
    ),
]

REVISIONS = list(reversed(list(scripts().walk_revisions())))


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


def test_there_is_one_head() -> None:
    assert len(scripts().get_heads()) == 1


def test_up_down_to_base_and_up_again(empty_database: DatabaseURL) -> None:
    config = alembic_config(empty_database)
    before = with_connection(empty_database, schema)
    command.upgrade(config, "head")
    built = with_connection(empty_database, schema)
    command.downgrade(config, "base")
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
        if revision.is_merge_point:
            command.upgrade(config, revision.revision)
            continue
        before = with_connection(empty_database, schema)
        command.upgrade(config, revision.revision)
        command.downgrade(config, f"{revision.revision}-1")
        assert with_connection(empty_database, schema) == before, revision.path
        command.upgrade(config, revision.revision)


def describe(row: Any) -> str:
    return row if isinstance(row, str) else ""


@pytest.mark.parametrize(("revision", "table", "values"), ROWS, ids=describe)
def test_data_written_before_a_revision_survives_up_down_up(
    empty_database: DatabaseURL, revision: str, table: str, values: dict[str, Any]
) -> None:
    def insert(connection: Connection) -> None:
        names = ", ".join(values)
        literals = ", ".join(f"'{value}'" for value in values.values())
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({literals})"))

    def rows(connection: Connection) -> list[Any]:
        return list(connection.execute(text(f"SELECT {', '.join(values)} FROM {table}")))

    config = alembic_config(empty_database)
    command.upgrade(config, revision)
    with_connection(empty_database, insert)
    written = with_connection(empty_database, rows)
    assert len(written) == 1
    command.upgrade(config, "head")
    assert with_connection(empty_database, rows) == written
    command.downgrade(config, revision)
    assert with_connection(empty_database, rows) == written
    command.upgrade(config, "head")
    assert with_connection(empty_database, rows) == written


def test_each_revision_belongs_to_a_file_of_its_own() -> None:
    paths = [revision.path for revision in REVISIONS]
    assert len(set(paths)) == len(REVISIONS)
