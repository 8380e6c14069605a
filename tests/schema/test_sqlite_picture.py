"""What the picture of an SQLite database shows: each change by name, and a copied table as the one it was."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from dbkit.schema import Picture, differences, read
from dbkit.schema.mending import mends
from dbkit.schema.sqlite_tokens import normalized

USERS = """
CREATE TABLE users (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    org_id INTEGER REFERENCES orgs (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    name VARCHAR(20) COLLATE NOCASE NOT NULL DEFAULT 'nobody' CHECK (length(name) > 1),
    price NUMERIC(10, 2), -- without tax, in (euros)
    gross NUMERIC GENERATED ALWAYS AS (price * 2) STORED,
    note TEXT,
    "check" TEXT COLLATE NOCASE,
    "foreign",
    "a ""b"", c" TEXT COLLATE NOCASE,
    CONSTRAINT ck_users_price CHECK (price > 0 AND note <> 'a, b)'),
    CONSTRAINT uq_users_note UNIQUE (note, name),
    FOREIGN KEY ("a ""b"", c") REFERENCES orgs (name) DEFERRABLE INITIALLY DEFERRED
)"""
SCHEMA = f"""
CREATE TABLE orgs (id INTEGER, name TEXT, PRIMARY KEY (id)) STRICT, WITHOUT ROWID;
{USERS};
CREATE INDEX ix_users_price ON users (price DESC) WHERE note IS NOT NULL;
CREATE UNIQUE INDEX uq_users_lower ON users (lower(name) COLLATE NOCASE);
CREATE VIEW names AS SELECT id, name FROM users;
CREATE TRIGGER tr_users AFTER INSERT ON users BEGIN UPDATE users SET note = 'x'; END;
CREATE VIRTUAL TABLE texts USING fts5 (body);
"""
# What is replaced in the schema, by what; and the object that differs, with its properties.
DRIFTS = [
    ("CREATE VIEW", "CREATE TABLE extra (id INTEGER); CREATE VIEW", "table extra"),
    (" STRICT, WITHOUT ROWID", " WITHOUT ROWID", "table orgs: strict"),
    (" STRICT, WITHOUT ROWID", " STRICT", "table orgs: without rowid"),
    ("fts5 (body)", "fts5 (body, title)", "table texts: virtual"),
    ("    note TEXT,", "    note TEXT, nick TEXT,", "column users.nick"),
    ("VARCHAR(20)", "VARCHAR(30)", "column users.name: type"),
    ("COLLATE NOCASE NOT NULL", "NOT NULL", "column users.name: collation"),
    ("COLLATE NOCASE NOT NULL", "COLLATE NOCASE", "column users.name: not null"),
    ("DEFAULT 'nobody'", "DEFAULT 'no body'", "column users.name: default"),
    (" DEFAULT 'nobody'", "", "column users.name: default"),
    ('"check" TEXT COLLATE NOCASE', '"check" TEXT', "column users.check: collation"),
    ('"a ""b"", c" TEXT COLLATE NOCASE', '"a ""b"", c" TEXT', 'column users.a "b", c: collation'),
    ("(name) DEFERRABLE INITIALLY DEFERRED", "(name)", 'foreign key users(a "b", c): deferrable'),
    (" AUTOINCREMENT", "", "column users.id: autoincrement"),
    ("NOT NULL PRIMARY KEY AUTOINCREMENT", "NOT NULL", "column users.id: autoincrement; primary key"),
    ("(price * 2) STORED", "(price * 3) STORED", "column users.gross: computed"),
    ("(price * 2) STORED", "(price * 2) VIRTUAL", "column users.gross: computed"),
    (" CHECK (length(name) > 1)", "", "check users.(length(name) > 1)"),
    ("price > 0 AND", "price >= 0 AND", "check users.ck_users_price: definition"),
    ("'a, b)'", "'a , b)'", "check users.ck_users_price: definition"),
    ("note, name)", "note)", "unique constraint users(note)"),
    (
        "REFERENCES orgs (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED",
        "",
        "foreign key users(org_id)",
    ),
    ("ON DELETE CASCADE", "ON DELETE SET NULL", "foreign key users(org_id): on delete"),
    ("ON DELETE CASCADE", "ON DELETE CASCADE ON UPDATE CASCADE", "foreign key users(org_id): on update"),
    ("CASCADE DEFERRABLE INITIALLY DEFERRED", "CASCADE", "foreign key users(org_id): deferrable"),
    (
        "CASCADE DEFERRABLE INITIALLY DEFERRED",
        "CASCADE NOT DEFERRABLE",
        "foreign key users(org_id): deferrable",
    ),
    (
        "CASCADE DEFERRABLE INITIALLY DEFERRED",
        "CASCADE deferrable initially immediate",
        "foreign key users(org_id): deferrable",
    ),
    (
        "ON DELETE CASCADE DEFERRABLE",
        "REFERENCES names (id) ON DELETE CASCADE DEFERRABLE",
        "foreign key users(org_id) to names",
    ),
    (
        "    CONSTRAINT uq_users_note",
        "    CONSTRAINT ck_users_price CHECK (price < 9), CONSTRAINT uq_users_note",
        "check users.ck_users_price (2)",
    ),
    ("PRIMARY KEY (id))", "PRIMARY KEY (id DESC))", "table orgs: primary key"),
    ("orgs (id)", "orgs (name)", "foreign key users(org_id): references"),
    ("price DESC", "price", "index ix_users_price: definition"),
    (" WHERE note IS NOT NULL", "", "index ix_users_price: definition"),
    ("CREATE UNIQUE INDEX", "CREATE INDEX", "index uq_users_lower: definition"),
    ("(lower(name) COLLATE NOCASE)", "(name COLLATE NOCASE)", "index uq_users_lower: definition"),
    ("SELECT id, name FROM users", "SELECT id FROM users", "view names: definition"),
    ("AFTER INSERT", "BEFORE INSERT", "trigger tr_users: definition"),
    ("SET note = 'x'", "SET note = 'X'", "trigger tr_users: definition"),
]
# The same in other words: what batch mode, a rename or another hand writes.
EQUAL = [
    ("CASCADE DEFERRABLE INITIALLY DEFERRED", "CASCADE deferrable initially deferred"),
    ("REFERENCES orgs (id)", "REFERENCES orgs"),
    ("CREATE TABLE users", 'create table "users"'),
    ("name VARCHAR(20)", '"name"   varchar(20)'),
    ("    price NUMERIC(10, 2), -- without tax, in (euros)", "    [price] NUMERIC(10,2), /* , */"),
    ("(price * 2)", "( `price`*2 )"),
    (
        " CHECK (length(name) > 1)",
        "",
        "    CONSTRAINT uq_users_note",
        "    CHECK (length(name) > 1), CONSTRAINT uq_users_note",
    ),
    (
        "org_id INTEGER REFERENCES orgs (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED",
        "org_id INTEGER",
        "    CONSTRAINT uq_users_note",
        "    CONSTRAINT fk FOREIGN KEY(org_id) REFERENCES orgs(id) ON DELETE CASCADE DEFERRABLE INITIALLY"
        " DEFERRED, CONSTRAINT uq_users_note",
    ),
]


def picture(schema: str, path: Path) -> Picture:
    with sqlite3.connect(path) as connection:
        connection.executescript(schema)
    connection.close()
    return read_file(path)


def read_file(path: Path) -> Picture:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as read_from:
        made = read(read_from)
    engine.dispose()
    return made


@pytest.mark.parametrize(("old", "new", "expected"), DRIFTS)
def test_a_change_is_seen_by_name(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert SCHEMA.count(old) == 1
    found = differences(
        picture(SCHEMA, tmp_path / "a.db"), picture(SCHEMA.replace(old, new), tmp_path / "b.db")
    )
    key, _, facets = expected.partition(": ")
    by_key = {difference.key: difference for difference in found}
    assert key in by_key
    assert sorted(by_key[key].facets) == facets.split("; ") if facets else not by_key[key].facets


@pytest.mark.parametrize("replaced", EQUAL)
def test_the_same_in_other_words_is_no_difference(tmp_path: Path, replaced: tuple[str, ...]) -> None:
    other = SCHEMA
    for old, new in zip(replaced[::2], replaced[1::2], strict=True):
        assert other.count(old) == 1
        other = other.replace(old, new)
    assert differences(picture(SCHEMA, tmp_path / "a.db"), picture(other, tmp_path / "b.db")) == []


def test_a_name_keeps_its_quotes_only_where_it_is_none_without_them() -> None:
    assert normalized("""("order" > 0  AND `name` <> [a b])""") == """("order" > 0 AND name <> "a b")"""


@pytest.mark.parametrize(("old", "new", "expected"), DRIFTS)
def test_what_is_printed_mends_indexes_views_and_triggers(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    wanted, found = picture(SCHEMA, tmp_path / "a.db"), picture(SCHEMA.replace(old, new), tmp_path / "b.db")
    printed = {each.key: one for each, one in mends(differences(wanted, found), wanted, found)}
    with sqlite3.connect(tmp_path / "b.db") as connection:
        for each in printed.values():
            for statement in each.statements:
                connection.execute(statement)
    connection.close()
    left = differences(wanted, read_file(tmp_path / "b.db"))
    key, _, _ = expected.partition(": ")
    assert bool(left) == (key.split(" ")[0] not in ("index", "view", "trigger"))
    assert {each.key for each in left} == {key for key, each in printed.items() if not each.statements}
