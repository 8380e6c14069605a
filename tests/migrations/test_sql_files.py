"""`op.run_sql_file` runs a file of statements that belongs to its revision, on both databases."""

import re
import sys
from pathlib import Path

import pytest

from proofs.guards import PROJECT
from support.database_state import dump, write_revision
from support.projects import INITIAL, Project, ok, refusal

sys.path.insert(0, str(PROJECT))

from dbkit.sql_files import NotSQL, split

POSTGRESQL = r"""
-- A semicolon in a comment; /* and the beginning of another one.
CREATE TABLE a (id int PRIMARY KEY, "odd;name" text DEFAULT 'it''s; -- no comment', begin int);
/* one; /* nested; */ still one; */
CREATE FUNCTION double(x int) RETURNS int LANGUAGE plpgsql AS $_$
DECLARE y int := 0;
BEGIN
    IF x > 0 THEN y := x; END IF;
    EXECUTE $$SELECT ';'$$;
    RETURN 2 * y;
END $_$;
CREATE FUNCTION standard(x int) RETURNS int BEGIN ATOMIC
    SELECT CASE WHEN x > 0 THEN 1 ELSE 2 END;
    SELECT x;
END;
CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC DELETE FROM a; END;
CREATE RULE one AS ON DELETE TO a DO ALSO (SELECT 1; SELECT 2);
DO $do$ BEGIN PERFORM 1; END $do$;;
INSERT INTO a VALUES (1, E'a\';b', double(21)), (2, U&'\0061;', 1), (3, $$;$$, 1);
COMMENT ON TABLE a IS 'a: 100 % of :it; $1';
SELECT 1 AS a$b$, 2 AS c$b$ -- without a semicolon"""
SQLITE = """
-- A semicolon in a comment; and ' a quote
CREATE TABLE a (id INTEGER PRIMARY KEY, "odd;name" TEXT DEFAULT 'it''s; -- no comment', [b;] INT);
/* one; */
CREATE TRIGGER t AFTER INSERT ON a BEGIN
    UPDATE a SET [b;] = CASE WHEN new.id > 0 THEN 42 ELSE 2 END WHERE id = 1;
    SELECT 1;
END;;
CREATE VIEW v AS SELECT id FROM a;
INSERT INTO a (id, "odd;name") VALUES (1, 'a'';b'), (2, ';'), (3, '100 % of :it');
CREATE INDEX i ON a (id) -- without a semicolon"""

POSTGRESQL_DOWN = """DROP RULE one ON a;
DROP FUNCTION double, standard; DROP PROCEDURE p;
DROP TABLE a"""
SQLITE_DOWN = "DROP VIEW v; DROP TABLE a;"


def write_file(project: Project, text: str, name: str = "20260102_0000_one.sql") -> Path:
    return project.write(f"alembic/versions/{name}", text)


@pytest.fixture
def script(project: Project) -> str:
    """A file of everything that could be cut in two, with its revision."""
    write_revision(
        project,
        "one",
        'op.run_sql_file("20260102_0000_one.sql")',
        downgrade='op.run_sql_file("down.sql")',
    )
    is_sqlite = project.dialect == "sqlite"
    write_file(project, SQLITE_DOWN if is_sqlite else POSTGRESQL_DOWN, "down.sql")
    text = SQLITE if is_sqlite else POSTGRESQL
    write_file(project, text)
    return text


@pytest.mark.first_on("postgresql")
def test_a_file_runs_up_and_down_and_is_printed_as_sql(project: Project, script: str) -> None:
    ok(project.alembic("upgrade", INITIAL))
    before = dump(project)
    printed = project.alembic("upgrade", f"{INITIAL}:head", "--sql")
    ok(printed)
    ok(project.alembic("upgrade", "head"))
    built = dump(project)
    assert project.sql("SELECT count(*) FROM a") == [(3,)]
    value = "[b;] FROM a WHERE id = 1" if project.dialect == "sqlite" else "begin FROM a WHERE id = 1"
    assert project.sql(f"SELECT {value}") == [(42,)]
    ok(project.alembic("downgrade", "-1"))
    assert dump(project) == before

    project.script(printed.stdout)
    assert dump(project) == built
    project.script(project.alembic("downgrade", f"head:{INITIAL}", "--sql").stdout)
    assert dump(project) == before
    ok(project.alembic("upgrade", "head"))


@pytest.mark.first_on("postgresql")
def test_each_statement_is_one_for_the_server(project: Project, script: str) -> None:
    statements = list(split(script, project.dialect))
    assert len(statements) == script.count("\nCREATE") + script.count("\nINSERT") + (
        3 if project.dialect == "postgresql" else 0
    )
    for statement in statements:
        first = statement.text.partition("\n")[0]
        assert script.splitlines()[statement.line - 1].startswith(first)


@pytest.mark.first_on("postgresql")
def test_a_failing_statement_is_named_with_file_and_line(project: Project) -> None:
    write_revision(project, "one", 'op.run_sql_file("20260102_0000_one.sql")')
    before = "-- one;\nCREATE TABLE one (id INTEGER);\n\n/* two */ "
    cases = {
        "CREATE TABLE\n  one (id INTEGER);": 4,
        "SELECT 1,\n  'x',\n  nothing;": 6 if project.dialect == "postgresql" else 4,
        "INSERT INTO one\n VALUES (1, 2);": 5 if project.dialect == "postgresql" else 4,
    }
    for statement, line in cases.items():
        write_file(project, f"{before}{statement}\nSELECT 1;")
        said = refusal(project.alembic("upgrade", "head"))
        assert f"FAILED: 20260102_0000_one.sql:{line}: " in said
        assert re.search(r"; (this revision changed nothing|nothing was changed)$", said)
        assert project.tables() & {"one"} == set()


@pytest.mark.first_on("postgresql")
def test_an_edited_file_is_an_edited_revision(project: Project, script: str) -> None:
    ok(project.alembic("upgrade", "head"))
    file = project.path / "alembic/versions/20260102_0000_one.sql"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    write_revision(project, "two", after="one")
    ok(project.alembic("upgrade", "head"))

    write_revision(project, "three", after="two")
    write_file(project, script.replace("odd;name", "even;name"))
    said = refusal(project.alembic("upgrade", "head"))
    assert "20260102_0000_one.py or 20260102_0000_one.sql or down.sql was edited after it ran here on" in said
    assert "was edited after it ran here" in refusal(project.make("migration-check"))
    file.unlink()
    for command in ("migration-check", "migrate"):
        said = refusal(project.make(command))
        assert "FAILED: 20260102_0000_one.py: 20260102_0000_one.sql is not beside it" in said
    assert project.version() == ["two"]


BOTH = {
    "BEGIN;": "one.sql:2: BEGIN: a revision runs in a transaction that it neither begins nor ends",
    "start  transaction;": "one.sql:2: START  TRANSACTION: a revision runs in a transaction",
    "/* done */ COMMIT;": "one.sql:2: COMMIT: a revision runs",
    "ROLLBACK;": "one.sql:2: ROLLBACK: a revision runs",
    "END": "one.sql:2: END: a revision runs",
}
OF_ONE = {
    "postgresql": {
        "\\restrict abc": "one.sql:2: \\restrict is a command of psql, and no SQL: take it out",
        "SELECT 1 \\gset": "one.sql:2: \\gset is a command of psql",
        "COPY users (id,\n  name) FROM stdin;\n1\tx\n\\.": "one.sql:2: COPY … FROM stdin waits for rows",
    },
    "sqlite": {
        "\\restrict abc": "one.sql:2: \\restrict is a command of the sqlite3 shell",
        ".read other.sql": "one.sql:2: .read is a command of the sqlite3 shell",
    },
}


@pytest.mark.first_on("postgresql")
def test_what_belongs_into_no_revision_is_refused_before_anything_runs(project: Project) -> None:
    for number, (text, said) in enumerate({**BOTH, **OF_ONE[project.dialect]}.items()):
        write_revision(project, "one", f'op.run_sql_file("{number}_one.sql")')
        write_file(project, f"CREATE TABLE one (id INTEGER);\n{text}", f"{number}_one.sql")
        for command in (("upgrade", "head"), ("upgrade", "head", "--sql")):
            line = refusal(project.alembic(*command))
            assert said in line
            assert line.endswith("; nothing was run")
    assert project.tables() == set()
    write_file(project, "SAVEPOINT a; ROLLBACK TO a; RELEASE a;", f"{number}_one.sql")
    ok(project.alembic("upgrade", "head"))


def test_a_file_that_cannot_be_the_revisions_is_refused_before_anything_runs(
    project: Project, tmp_path: Path
) -> None:
    versions = project.path / "alembic" / "versions"
    outside = tmp_path / "outside.sql"
    outside.write_text("SELECT 1", "utf-8")
    (versions / "link.sql").symlink_to(outside)
    (versions / "latin.sql").write_bytes("SELECT 'é'".encode("latin-1"))
    file = "20260102_0000_one.py: "
    cases = {
        "none.sql": f"{file}none.sql is not beside it: was it never committed?; nothing was run",
        "../env.sql": f"{file}../env.sql is outside of the folder of the revision",
        str(outside): f"{file}{outside} is outside of the folder",
        "link.sql": f"{file}link.sql is outside of the folder",
        "latin.sql": "latin.sql: byte 9 is not UTF-8: save the file in UTF-8; nothing was run",
    }
    for name, said in cases.items():
        write_revision(project, "one", f"op.run_sql_file({name!r})")
        assert said in refusal(project.alembic("upgrade", "head"))
    assert project.tables() == set()


def test_a_name_that_is_composed_is_refused(sqlite_project: Project) -> None:
    project = sqlite_project
    write_file(project, "SELECT 1")
    write_revision(project, "one", 'op.run_sql_file("20260102_0000_" + "one.sql")')
    said = refusal(project.alembic("upgrade", "head"))
    assert "one.py:13: op.run_sql_file takes the name as it is, between quotes" in said


@pytest.mark.first_on("postgresql")
def test_a_branch_for_another_database_is_not_looked_at(project: Project) -> None:
    write_revision(
        project,
        "one",
        'if op.get_bind().dialect.name == "postgresql":',
        '    op.run_sql_file(file_name="postgresql.sql")',
        "else:",
        '    op.run_sql_file(file_name="sqlite.sql")',
    )
    write_file(project, POSTGRESQL, "postgresql.sql")
    write_file(project, SQLITE, "sqlite.sql")
    ok(project.alembic("upgrade", "head"))
    assert "a" in project.tables()


@pytest.mark.first_on("postgresql")
def test_two_statements_in_one_execute_are_told_of_the_file(project: Project) -> None:
    write_revision(project, "one", 'op.execute("SELECT 1; SELECT 2")')
    said = refusal(project.alembic("upgrade", "head"))
    assert "(one statement in each op.execute; op.run_sql_file runs a file of several)" in said


def test_a_file_may_autocommit_in_a_block_of_its_own(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.alembic("upgrade", INITIAL))
    write_revision(
        project, "one", "with op.get_context().autocommit_block():", '    op.run_sql_file("one.sql")'
    )
    write_file(project, "CREATE INDEX CONCURRENTLY mine ON users (name);\nVACUUM users;", "one.sql")
    ok(project.alembic("upgrade", "head"))
    assert project.sql("SELECT 1 FROM pg_class WHERE relname = 'mine'")


def test_a_command_of_psql_is_found_wherever_it_is_not_quoted() -> None:
    quoted = "SELECT '\\a', E'\\'', \"\\b\", $$\\c$$, /* \\d */ 1; -- \\e"
    assert [one.text for one in split(quoted, "postgresql")] == [quoted.partition("; --")[0]]
    with pytest.raises(NotSQL, match=r"\\connect") as found:
        list(split(f"{quoted}\n\n\\connect other", "postgresql"))
    assert found.value.line == 3
