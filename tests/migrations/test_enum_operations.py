"""Enum types that get other values: what uses them is the same afterwards, or nothing is changed."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

import dbkit.operations  # noqa: F401 - registers op.replace_enum_values and others
from dbkit.schema import Picture, differences, read
from support.servers import PostgresServer

pytestmark = pytest.mark.slow
T = TypeVar("T")

SCHEMA = """
CREATE SCHEMA shop;
CREATE ROLE enum_reader;
CREATE TYPE shop."My State" AS ENUM ('new', 'it''s, "done"', 'old', '100%:x $replace$');
COMMENT ON TYPE shop."My State" IS 'of an order';
GRANT USAGE ON TYPE shop."My State" TO enum_reader WITH GRANT OPTION;
REVOKE USAGE ON TYPE shop."My State" FROM PUBLIC;
CREATE TABLE shop.orders (
    id integer PRIMARY KEY,
    state shop."My State" NOT NULL DEFAULT 'new',
    "All" shop."My State"[] DEFAULT '{new,old}',
    note text DEFAULT ('new'::shop."My State")::text,
    UNIQUE (id, state),
    CONSTRAINT is_open CHECK (state <> 'it''s, "done"' OR note IS NOT NULL)
);
ALTER TABLE shop.orders ADD CONSTRAINT later CHECK (state <> 'old') NOT VALID;
COMMENT ON CONSTRAINT is_open ON shop.orders IS 'said by the shop';
CREATE INDEX ix_state ON shop.orders (state);
CREATE UNIQUE INDEX ix_new ON shop.orders (id) WHERE state = 'new';
CREATE INDEX ix_is_old ON shop.orders ((state = 'old'));
COMMENT ON INDEX shop.ix_new IS 'what is new';
CREATE STATISTICS shop.both ON state, note FROM shop.orders;
CREATE TABLE shop.lines (
    id integer, state shop."My State",
    FOREIGN KEY (id, state) REFERENCES shop.orders (id, state) ON DELETE CASCADE
) PARTITION BY RANGE (id);
CREATE TABLE shop.lines_1 PARTITION OF shop.lines FOR VALUES FROM (0) TO (100);
CREATE INDEX ix_lines ON shop.lines (id) WHERE state = 'new';
INSERT INTO shop.orders VALUES
    (1, 'new', DEFAULT), (2, '100%:x $replace$', NULL), (3, 'it''s, "done"', '{}');
INSERT INTO shop.lines VALUES (1, 'new');
"""
VALUES = ["new", 'it\'s, "done"', "old", "100%:x $replace$"]
TYPE = {"name": "My State", "schema": "shop"}


@pytest.fixture
def run(postgres_server: PostgresServer) -> Callable[..., Any]:
    """Calls a function with a connection that is in a transaction, which is committed."""
    database = postgres_server.create_database()
    setup = SCHEMA
    if postgres_server.sql("SELECT 1 FROM pg_roles WHERE rolname = 'enum_reader'"):
        setup = setup.replace("CREATE ROLE enum_reader;", "")
    postgres_server.sql(setup, database.rpartition("/")[2])

    def call(function: Callable[[Connection], T]) -> T:
        async def connected() -> T:
            engine = create_async_engine(database.replace("postgresql:", "postgresql+asyncpg:"))
            try:
                async with engine.begin() as connection:
                    return await connection.run_sync(function)
            finally:
                await engine.dispose()

        return asyncio.run(connected())

    return call


def replace(values: list[str], renamed: dict[str, str] | None = None) -> Callable[[Connection], None]:
    """The operation."""

    def function(connection: Connection) -> None:
        operations: Any = Operations(MigrationContext.configure(connection))
        operations.replace_enum_values(TYPE["name"], values, schema=TYPE["schema"], renamed=renamed)

    return function


def execute(statement: str) -> Callable[[Connection], Any]:
    """One statement; returns the first value of each row."""

    def function(connection: Connection) -> list[Any]:
        result = connection.execute(text(statement.replace(":", r"\:")))
        return list(result.scalars()) if result.returns_rows else []

    return function


def changed(before: Picture, after: Picture) -> list[str]:
    """What differs, privileges and owners included."""
    return [one.describe("before", "after") for one in differences(before, after, administration=True)]


def test_all_that_uses_the_type_is_the_same_afterwards(run: Callable[..., Any]) -> None:
    before = run(read)
    run(replace(["first", *reversed(VALUES)]))
    [line] = changed(before, run(read))
    assert line.startswith('type shop."My State": enum:')
    assert run(execute("SELECT state::text FROM shop.orders ORDER BY id")) == [
        VALUES[0],
        VALUES[3],
        VALUES[1],
    ]
    assert run(execute('SELECT "All"::text FROM shop.orders ORDER BY id')) == ["{new,old}", None, "{}"]
    run(replace(VALUES))
    assert changed(before, run(read)) == []


def test_names_of_values_change_everywhere_and_no_row_is_written(run: Callable[..., Any]) -> None:
    file = "SELECT pg_relation_filenode('shop.orders')"
    before = run(execute(file))
    run(
        replace(["old", *VALUES[1:2], "new", "last"], renamed={"new": "old", "old": "new", VALUES[3]: "last"})
    )
    assert run(execute(file)) == before
    assert run(execute("SELECT state::text FROM shop.orders ORDER BY id")) == ["old", "last", VALUES[1]]
    [default] = run(execute("SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adnum = 2"))
    assert default.startswith("'old'")


def test_a_value_becomes_another_one_in_rows_and_arrays(run: Callable[..., Any]) -> None:
    run(execute("ALTER TABLE shop.orders DROP CONSTRAINT is_open"))
    done = VALUES[1]
    run(replace(["new", "old", "100%"], renamed={done: "old", VALUES[3]: "100%"}))
    assert run(execute("SELECT state::text FROM shop.orders ORDER BY id")) == ["new", "100%", "old"]


REFUSED = {
    "rows": ("SELECT 1", "rows of shop.orders have a value in state that enum type"),
    "array": (
        """UPDATE shop.orders SET state = 'new', id = id, "All" = '{"it''s, \\"done\\""}' WHERE id = 3""",
        'rows of shop.orders have a value in "All" that enum type',
    ),
    "view": ("CREATE VIEW v AS SELECT id, state FROM shop.orders", "used by view public.v"),
    "materialized view": (
        "CREATE MATERIALIZED VIEW v AS SELECT 'new'::shop.\"My State\" AS s",
        "used by materialized view public.v",
    ),
    "function": (
        """CREATE FUNCTION f(s shop."My State") RETURNS int LANGUAGE sql RETURN 1""",
        'used by function public.f(shop."My State")',
    ),
    "domain": ('CREATE DOMAIN d AS shop."My State"', "used by type public.d"),
    "composite": ('CREATE TYPE c AS (s shop."My State"[])', "used by composite type public.c"),
    "generated column": (
        "ALTER TABLE shop.orders ADD is_new boolean GENERATED ALWAYS AS (state = 'new') STORED",
        "used by generated table column shop.orders.is_new",
    ),
    "policy": ("CREATE POLICY p ON shop.orders USING (state = 'new')", "used by policy p on shop.orders"),
    "trigger": (
        "CREATE TRIGGER t BEFORE UPDATE OF state ON shop.orders"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "used by trigger t on shop.orders",
    ),
    "partition key": (
        'CREATE TABLE parts (s shop."My State") PARTITION BY LIST (s)',
        "used by partition key of parts",
    ),
    "check": (
        "UPDATE shop.orders SET state = 'new' WHERE id = 3",
        "constraint is_open of shop.orders uses a value that enum type",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_made_again_is_one_line_and_nothing_is_changed(
    run: Callable[..., Any], kind: str
) -> None:
    statement, said = REFUSED[kind]
    if kind in ("array", "check"):
        run(execute("DROP INDEX shop.ix_new"))
    run(execute(statement))
    if kind == "array":
        run(execute("ALTER TABLE shop.orders DROP CONSTRAINT is_open"))
    before = run(read)
    with pytest.raises(CommandError) as refusal:
        run(replace([VALUES[0], *VALUES[2:]]))
    assert said in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1
    assert changed(before, run(read)) == []


def test_a_name_that_is_no_value_and_a_type_that_is_not_there_are_refused(run: Callable[..., Any]) -> None:
    with pytest.raises(CommandError, match="'old' is none of the values"):
        run(replace(["new"], renamed={"new": "old"}))
    run(execute(["DROP TABLE shop.lines, shop.orders", ' DROP TYPE shop."My State"'][0]))
    run(execute('DROP TYPE shop."My State"'))
    with pytest.raises(CommandError, match="there is no enum type"):
        run(replace(["new"]))
