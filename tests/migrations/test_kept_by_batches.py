"""`op.batch_alter_table` on SQLite: whatever a table had before is there afterwards, with every row."""

import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import IntegrityError

import dbkit.operations  # noqa: F401 - what is tested
from dbkit.errors import error_text
from dbkit.schema import Picture, differences, read

TABLE = "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, a {a}, note TEXT{more})"
# What a table may have: the rest of column `a`, more columns and constraints, and more statements.
KEPT = {
    "computed": ("INT", ", g INT AS (a * 2) STORED, v TEXT GENERATED ALWAYS AS (note || ':z')", ""),
    "collation": ("VARCHAR(9) COLLATE NOCASE DEFAULT 'x'", "", ""),
    "declared type": ("MONEY", ", b INT, c DOUBLE PRECISION, d", ""),
    "unnamed check": ("INT CHECK (a > 0)", ", CHECK (a < 99)", ""),
    "named check": ("INT", ", CONSTRAINT ck_t_note CHECK (note <> ' :q'\n   AND a > 0)", ""),
    "foreign key": ("INT REFERENCES t (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED", "", ""),
    "named key": ("INT", ", CONSTRAINT fk FOREIGN KEY (a) REFERENCES t (id) DEFERRABLE", ""),
    "unique": ("INT UNIQUE", ", CONSTRAINT uq_t UNIQUE (note, a)", ""),
    "unusual names": (
        "INT",
        """, "x""y" INT, "50%" INT, CONSTRAINT "u""q" UNIQUE ("x""y", a), CONSTRAINT 'c k' CHECK ("50%" > 0),
        CONSTRAINT "f""k" FOREIGN KEY ("50%") REFERENCES t (id)""",
        'CREATE INDEX "i""i" ON t ("x""y")',
    ),
    "names of keywords": (
        "INT",
        """, "order" INT CHECK ("order" > 0), g INT AS ("order" * 2)""",
        "",
    ),
    "numbers": ("INT CHECK (a > 1.5e-5 AND a > .5 AND a <> 200.)", ", b BLOB CHECK (b <> x'00')", ""),
    "constraint behind another": ("INT CONSTRAINT uq UNIQUE CHECK (a > 0)", "", ""),
    "constraints of one name": (
        "INT",
        ", CONSTRAINT c CHECK (a > 0), CONSTRAINT c CHECK (a < 99), CONSTRAINT c UNIQUE (a),"
        " CONSTRAINT c UNIQUE (note)",
        "",
    ),
    "ordered unique": ("TEXT", ", CONSTRAINT uq UNIQUE (note COLLATE NOCASE, a DESC)", ""),
    "two keys of a column": (
        "INT REFERENCES t ON DELETE CASCADE REFERENCES log (n) deferrable initially deferred",
        "",
        "",
    ),
    "on conflict": ("INT NOT NULL ON CONFLICT IGNORE", ", UNIQUE (a, note) ON CONFLICT REPLACE", ""),
    "unique with collations": (
        "INT",
        ", CONSTRAINT u UNIQUE (note COLLATE NOCASE, a DESC) ON CONFLICT IGNORE, UNIQUE (a DESC, id)",
        "",
    ),
    "names that are keywords": (
        "INT",
        ', "order" INT, "group" INT AS ("order" + 1), CONSTRAINT "check" CHECK ("order" <> 0)',
        'CREATE INDEX "index" ON t ("order" DESC) WHERE "group" > 0',
    ),
    "defaults": (
        "INT DEFAULT ((1) + (2))",
        ", b TEXT DEFAULT (':x'), c DEFAULT -1.5e3, d DEFAULT (x'00')",
        "",
    ),
    "descending index": ("INT", "", "CREATE INDEX i ON t (a DESC)"),
    "expression index": ("TEXT", "", "CREATE UNIQUE INDEX i ON t (lower(a), note COLLATE NOCASE)"),
    "partial index": ("INT", "", "CREATE INDEX i ON t (a) WHERE note IS NOT NULL AND a > 3"),
    "trigger": ("INT", "", "CREATE TRIGGER r AFTER UPDATE ON t BEGIN DELETE FROM log; END"),
    "other trigger": ("INT", "", "CREATE TRIGGER r AFTER INSERT ON log BEGIN DELETE FROM t; END"),
    "view": ("INT", "", "CREATE VIEW w AS SELECT a, note FROM t"),
}
LAST_LINES = {
    "strict": "CREATE TABLE t (id INTEGER PRIMARY KEY, a ANY, note TEXT, b INT) STRICT",
    "without rowid": "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, note TEXT) WITHOUT ROWID",
    "autoincrement": "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a INT, note TEXT)",
    "key on conflict": (
        "CREATE TABLE t (id INTEGER PRIMARY KEY ON CONFLICT REPLACE AUTOINCREMENT, a INT, note TEXT)"
    ),
}
SCHEMAS = {
    **{name: (TABLE.format(a=a, more=more), last) for name, (a, more, last) in KEPT.items()},
    **{name: (table, "") for name, table in LAST_LINES.items()},
}


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver begins no transaction, as in a run

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    with engine.connect() as connection:
        yield connection


@pytest.fixture
def op(connection: Connection) -> Operations:
    return Operations(MigrationContext.configure(connection))


def picture(connection: Connection) -> Picture:
    connection.exec_driver_sql("SELECT 1")  # it reads in the transaction that this begins
    return read(connection)


def build(connection: Connection, table: str, *more: str, rows: int = 50) -> None:
    for statement in ("CREATE TABLE log (n INT)", table, *filter(None, more)):
        connection.exec_driver_sql(statement)
    for number in range(1, rows + 1):
        row = (number, number, f"n{number}")
        connection.exec_driver_sql("INSERT INTO t (id, a, note) VALUES (?, ?, ?)", row)
    connection.commit()


def changed(before: Picture, after: Picture) -> list[str]:
    return [one.describe("before", "after") for one in differences(before, after)]


@pytest.mark.parametrize("kind", SCHEMAS)
def test_what_a_batch_does_not_change_is_there_after_it_and_after_its_downgrade(
    connection: Connection, op: Operations, kind: str
) -> None:
    build(connection, *SCHEMAS[kind])
    select = "SELECT *, typeof(a), typeof(note) FROM t ORDER BY id"
    before, rows = picture(connection), connection.exec_driver_sql(select).all()
    with op.batch_alter_table("t") as batch:
        batch.alter_column("note", nullable=False, existing_type=sa.Text())
    assert changed(before, picture(connection)) == ["column t.note: not null: none in before, yes in after"]
    assert connection.exec_driver_sql(select).all() == rows
    with op.batch_alter_table("t") as batch:
        batch.alter_column("note", nullable=True, existing_type=sa.Text())
    assert changed(before, picture(connection)) == []
    assert connection.exec_driver_sql(select).all() == rows


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_renamed_column_is_renamed_wherever_it_stands(
    connection: Connection, op: Operations, kind: str
) -> None:
    build(connection, *SCHEMAS[kind])
    before, rows = picture(connection), connection.exec_driver_sql("SELECT * FROM t").all()
    for old, new in (("a", "first"), ("first", "a")):
        with op.batch_alter_table("t") as batch:
            batch.alter_column(old, new_column_name=new)
        assert connection.exec_driver_sql("SELECT * FROM t").all() == rows
        assert f"column t.{new}" in picture(connection).objects
    assert changed(before, picture(connection)) == []


USERS_OF_A_COLUMN = [
    ("CREATE INDEX i ON t (lower(a))", "index i of table t needs column a, which the batch drops"),
    ("CREATE INDEX i ON t (abs([a]))", "index i of table t needs column a, which the batch drops"),
    ("CREATE VIEW w AS SELECT a FROM t", "view w"),
    ("CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO log VALUES (NEW.a); END", "trigger r"),
    ("CREATE TRIGGER r AFTER INSERT ON log BEGIN UPDATE t SET a = 1; END", "trigger r"),
]


@pytest.mark.parametrize(("user", "line"), USERS_OF_A_COLUMN)
def test_what_needs_a_column_that_goes_is_named(
    connection: Connection, op: Operations, user: str, line: str
) -> None:
    build(connection, TABLE.format(a="TEXT", more=""), user)
    with pytest.raises(CommandError, match=line), op.batch_alter_table("t") as batch:
        batch.drop_column("a")
    connection.rollback()
    op.execute(f"DROP {line.split()[0]} {line.split()[1]}")
    with op.batch_alter_table("t") as batch:
        batch.drop_column("a")
    assert connection.exec_driver_sql("SELECT * FROM t").keys() == ["id", "note"]


@pytest.mark.parametrize("name", ["CONSTRAINT ck_t_a ", ""])
def test_a_check_that_needs_a_column_that_goes_is_named(
    connection: Connection, op: Operations, name: str
) -> None:
    build(connection, TABLE.format(a="INT", more=f', {name}CHECK ("a" > 0 OR note IS NULL)'))
    check = "ck_t_a" if name else re.escape('("a" > 0 OR note IS NULL)')
    line = f"CHECK {check} of table t needs column a"
    with pytest.raises(CommandError, match=line), op.batch_alter_table("t") as batch:
        batch.drop_column("a")
    connection.rollback()
    if name:
        with op.batch_alter_table("t") as batch:
            batch.drop_constraint("ck_t_a", type_="check")
            batch.drop_column("a")
        assert connection.exec_driver_sql("SELECT * FROM t").keys() == ["id", "note"]


def test_a_primary_key_whose_order_a_copy_would_lose_is_refused(
    connection: Connection, op: Operations
) -> None:
    build(connection, "CREATE TABLE t (id TEXT, a INT, note TEXT, PRIMARY KEY (id COLLATE NOCASE))")
    line = "primary key of table t has COLLATE or DESC"
    with pytest.raises(CommandError, match=line), op.batch_alter_table("t") as batch:
        batch.drop_column("a")


VIOLATIONS = {
    "NOT NULL": ('batch.alter_column("a", nullable=False)', "NOT NULL constraint failed: t.a"),
    "UNIQUE": (
        'batch.create_unique_constraint("u", ["note", "a"])',
        "UNIQUE constraint failed: t.note, t.a",
    ),
    "CHECK": ('batch.create_check_constraint("c", "a > 1")', "CHECK constraint failed: c, in table t"),
    "a primary key": (
        'batch.create_primary_key("pk", ["note"])',
        "UNIQUE constraint failed: t.note",
    ),
    "a type of a strict table": (
        'batch.alter_column("note", type_=sa.INTEGER())',
        "cannot store TEXT value in INTEGER column t.note",
    ),
}


@pytest.mark.parametrize("kind", VIOLATIONS)
def test_rows_that_do_not_fit_are_named_by_the_table_and_not_by_its_copy(
    connection: Connection, op: Operations, kind: str
) -> None:
    table = "a_name_so_long_that_alembic_cuts_that_of_the_copy"
    strict = " STRICT" if "strict" in kind else ""
    build(connection, "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, note TEXT)" + strict, rows=1)
    connection.exec_driver_sql("INSERT INTO t VALUES (2, 1, 'n1'), (3, NULL, 'n')")
    connection.exec_driver_sql(f"ALTER TABLE t RENAME TO {table}")
    operation, line = VIOLATIONS[kind]
    with pytest.raises(IntegrityError) as caught, op.batch_alter_table(table, recreate="always") as batch:
        eval(operation, {"batch": batch, "sa": sa})  # noqa: S307 - one of those above
    assert error_text(caught.value) == line.replace("t.", f"{table}.").replace("table t", f"table {table}")


def test_no_value_is_converted_by_a_change_of_its_type(connection: Connection, op: Operations) -> None:
    build(connection, TABLE.format(a="TEXT", more=""), rows=0)
    values = ["2026-11-20", "abc", "12", None]
    for number, value in enumerate(values):
        connection.exec_driver_sql("INSERT INTO t (id, a) VALUES (?, ?)", (number, value))
    for new_type in (sa.Date(), sa.Text()):
        with op.batch_alter_table("t") as batch:
            batch.alter_column("a", type_=new_type, existing_type=sa.Text())
    assert connection.exec_driver_sql("SELECT a FROM t ORDER BY id").scalars().all() == values


@pytest.mark.parametrize("last_row", [1, 3])
def test_autoincrement_gives_no_number_twice(connection: Connection, op: Operations, last_row: int) -> None:
    build(connection, LAST_LINES["autoincrement"], rows=3)
    connection.exec_driver_sql("DELETE FROM t WHERE id >= ?", (last_row,))
    with op.batch_alter_table("t") as batch:
        batch.alter_column("note", nullable=False, existing_type=sa.Text())
    connection.exec_driver_sql("INSERT INTO t (note) VALUES ('new')")
    assert connection.exec_driver_sql("SELECT max(id) FROM t").scalar() == 4


def test_indexes_over_expressions_are_made_and_dropped_in_a_batch(
    connection: Connection, op: Operations
) -> None:
    build(connection, TABLE.format(a="TEXT", more=""), "CREATE INDEX old ON t (lower(a))")
    with op.batch_alter_table("t") as batch:
        batch.drop_index("old")
        batch.alter_column("note", nullable=False, existing_type=sa.Text())
        batch.create_index("new", [sa.text("upper(a) DESC"), "note"], unique=True)
    found = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'index'")
    assert [tuple(row) for row in found] == [("new", "CREATE UNIQUE INDEX new ON t (upper(a) DESC, note)")]
    line = "no index none of table t"
    with pytest.raises(CommandError, match=line), op.batch_alter_table("t", recreate="always") as batch:
        batch.drop_index("none")


def test_constraints_of_unusual_names_are_dropped(connection: Connection, op: Operations) -> None:
    build(connection, *SCHEMAS["unusual names"])
    with op.batch_alter_table("t") as batch:
        batch.drop_constraint('u"q', type_="unique")
        batch.drop_constraint("c k", type_="check")
        batch.drop_constraint('f"k', type_="foreignkey")
    kinds = {one.kind for one in picture(connection).objects.values()}
    assert kinds == {"table", "column", "index"}


def test_a_primary_key_is_replaced_whether_it_has_a_name_or_not(
    connection: Connection, op: Operations
) -> None:
    build(connection, TABLE.format(a="INT NOT NULL", more=""))
    before = picture(connection)
    for columns in (["id", "a"], ["id"]):
        with op.batch_alter_table("t") as batch:
            batch.drop_constraint("pk_t", type_="primary")
            batch.create_primary_key("pk_t", columns)
        key = connection.exec_driver_sql("SELECT name FROM pragma_table_info('t') WHERE pk ORDER BY pk")
        assert key.scalars().all() == columns
    assert changed(before, picture(connection)) == []
    assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar() == 50


def test_a_table_that_the_revision_gives_keeps_what_goes_with_it(
    connection: Connection, op: Operations
) -> None:
    triggers = "CREATE TRIGGER r AFTER DELETE ON t BEGIN DELETE FROM log; END"
    build(connection, TABLE.format(a="INTEGER", more=""), "CREATE INDEX i ON t (a DESC)", triggers)
    given = sa.Table("t", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))
    given.append_column(sa.Column("a", sa.INT))
    given.append_column(sa.Column("note", sa.Text))
    sa.Index("i", given.c.a)
    sa.Index("more", given.c.note)
    before = picture(connection)
    with op.batch_alter_table("t", copy_from=given) as batch:
        batch.alter_column("note", nullable=False)
    assert changed(before, picture(connection)) == [
        "column t.note: not null: none in before, yes in after",
        "index more: only in after",
    ]
    assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar() == 50


def test_a_table_of_another_database_keeps_its_objects(connection: Connection, op: Operations) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute("ATTACH ':memory:' AS other")  # not in a transaction
    for statement in (
        "CREATE TABLE other.t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT COLLATE NOCASE)",
        "INSERT INTO other.t VALUES (1, 'x')",
        "CREATE INDEX other.i ON t (a DESC)",
        "CREATE TRIGGER other.r AFTER INSERT ON t BEGIN DELETE FROM t WHERE a = NEW.a; END",
    ):
        connection.exec_driver_sql(statement)
    texts = "SELECT name FROM other.sqlite_master ORDER BY name"
    before = connection.exec_driver_sql(texts).all()
    with op.batch_alter_table("t", schema="other") as batch:
        batch.alter_column("a", nullable=False)
    assert connection.exec_driver_sql(texts).all() == before
    assert connection.exec_driver_sql("SELECT * FROM other.t").all() == [(1, "x")]
