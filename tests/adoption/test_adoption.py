"""`make migration-baseline` adopts a database that nothing manages: exactly, or not at all."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.database_state import dump, history, pg_dump
from support.documents import DOCUMENTS, commands
from support.projects import INITIAL, Project, ok, refusal
from support.servers import PostgresServer

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
# What the models of a schema leave to SQL.
LEFT_ALONE = {"rental": "entries payment_*", "notes": "settings search*"}


def commit(project: Project) -> None:
    """Commit what is there, as the owner of a project does."""
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    for command in (("add", "--all"), (*who, "commit", "--quiet", "--message=work")):
        subprocess.run(["git", *command], cwd=project.path, check=True, capture_output=True)


def build(project: Project, schema: str) -> None:
    """Make the database of another application."""
    file = "notes.sqlite" if schema == "notes" else schema
    project.script((HERE / f"{file}.sql").read_text("utf-8"))
    commit(project)


def without_our_table(text: str) -> set[str]:
    """The parts of a dump that are not about Alembic's table."""
    parts = re.split(r"\n--\n(?=-- (?:Name|Data))|;\n(?=CREATE|INSERT|DELETE)", text)
    return {part.strip().removesuffix("--").strip() for part in parts if "alembic_version" not in part}


def write_models(project: Project, schema: str) -> None:
    """Do what the guide says behind the baseline: models, without the example and its tests."""
    leave_alone = f"leave_alone = {LEFT_ALONE.get(schema, '')}".strip()
    project.edit("alembic.ini", "leave_alone =", leave_alone)
    project.write("app/models/adopted.py", (HERE / f"{schema}_models.txt").read_text("utf-8"))
    example = ("app/models/user.py", "app/schemas/user.py", "app/api/users.py", "tests/test_users.py")
    for name in (*example, "tests/test_models.py"):
        (project.path / name).unlink()
    path = project.path / "tests/test_database_migrations.py"
    text = path.read_text("utf-8")
    path.write_text(re.sub(r"\] = \[\n.*?\n\]\n", "] = []\n", text, count=1, flags=re.DOTALL), "utf-8")


def be_adopted(project: Project, schema: str) -> None:
    """The whole way, from an unmanaged database to a gate that is open; and not before its end."""
    before = without_our_table(dump(project))
    assert "1 pending" in refusal(project.make("migration-check"))
    said = ok(project.make("migration-baseline"))
    [revision] = project.revisions()
    sql = revision.with_suffix(".sql")
    assert re.fullmatch(r"\d{8}_\d{4}_baseline\.py", revision.name)
    assert f"wrote {revision.name} and {sql.name} in alembic/versions\n" in said
    assert "removed 20260101_0000_create_users.py, the example, which never ran here\n" in said
    assert "next: commit alembic/, write the models ('Adopt a database' in alembic/README.md)" in said
    assert not (revision.parent / "20260101_0000_create_users.py").exists()
    assert not re.search(r"^(SET|SELECT|--|\\|GRANT|.* OWNER TO)", sql.read_text("utf-8"), re.MULTILINE)
    assert without_our_table(dump(project)) == before

    [row] = history(project)
    assert (row["direction"], row["outcome"], row["revision"]) == ("adopt", "done", project.version()[0])
    assert f"adopt      {row['revision']}" in ok(project.make("migration-log"))
    assert "nothing to do" in ok(project.make("migrate"))
    checked = project.make("migration-check")
    assert "the models and the revisions differ" in refusal(checked)
    assert "drift" not in refusal(checked)
    assert "(to keep a table that no model describes, write its model, or name it in" in checked.stdout

    write_models(project, schema)
    assert "ok: models and revisions agree" in ok(project.make("migration-check"))
    ok(project.make("migrate-test"))
    ok(project.python("-m", "pytest", "-q", "tests/test_database_migrations.py"))


@pytest.mark.parametrize("schema", [pytest.param("music", marks=pytest.mark.long), "trade"])
def test_a_postgresql_database_is_adopted(postgresql_project: Project, schema: str) -> None:
    build(postgresql_project, schema)
    be_adopted(postgresql_project, schema)


@pytest.mark.long
def test_a_database_is_adopted_by_its_owner_who_is_no_superuser(
    postgresql_project: Project, postgres_server: PostgresServer
) -> None:
    project = postgresql_project
    name = project.url.rpartition("/")[2]
    postgres_server.sql(
        f"CREATE ROLE {name} LOGIN CREATEDB PASSWORD 'own'; ALTER DATABASE {name} OWNER TO {name}"
    )
    project.url = postgres_server.url(name, user=name, password="own")
    project.write(".env", f"DATABASE_URL={project.url}\n")
    build(project, "rental")
    be_adopted(project, "rental")


def test_an_sqlite_database_is_adopted(sqlite_project: Project) -> None:
    build(sqlite_project, "notes")
    be_adopted(sqlite_project, "notes")


@pytest.mark.first_on("sqlite")
def test_a_baseline_is_guarded_and_goes_on_from_there(project: Project) -> None:
    project.script(
        "CREATE TABLE things (id INTEGER NOT NULL PRIMARY KEY); CREATE VIEW v AS SELECT id FROM things;"
    )
    commit(project)
    ok(project.make("migration-baseline", "MSG=the old shop"))
    [revision] = project.revisions("_the_old_shop")
    assert "did not run here" in refusal(project.make("migration-down"))
    name = "dev.db" if project.dialect == "sqlite" else project.url.rpartition("/")[2]
    for variables in ({"CONFIRM": name}, {"CONFIRM": name, "REV": "base"}):
        said = refusal(project.make("migration-down", **variables))
        assert "reverting it would drop everything" in said
    assert {"things"} < project.tables()

    ok(project.make("migration-empty", "MSG=next"))
    sql = revision.with_suffix(".sql")
    text = sql.read_text("utf-8")
    sql.write_text(text.replace("things", "other"), "utf-8")
    said = refusal(project.make("migrate"))
    assert f"{revision.name} or {sql.name} was edited after it was adopted here on " in said
    sql.write_text(text, "utf-8")
    ok(project.make("migrate"))
    ok(project.make("migration-down"))
    # Another database of the same schema is only stamped; the baseline is one, not two.
    commit(project)
    [adopted] = project.version()
    said = refusal(project.make("migration-baseline"))
    assert "is managed already" in said or "is a baseline already" in said
    project.sql("DELETE FROM alembic_version")
    said = refusal(project.make("migration-baseline"))
    assert f"make migration-stamp REV={adopted}" in said
    ok(project.make("migration-stamp", f"REV={adopted}"))
    assert project.version() == [adopted]


@pytest.mark.long
def test_the_guides_command_writes_models_of_all_tables(postgresql_project: Project) -> None:
    """It fetches a package; what has to be corrected in its file stands in the guide."""
    project = postgresql_project
    build(project, "music")
    ok(project.make("migration-baseline"))
    [command] = [line for line in commands(DOCUMENTS["the guide"]) if line.startswith("uvx")]
    _, password = project.url.partition("@")[0].rsplit(":", 1)
    address = project.url.replace(f":{password}", "")
    line, _, _ = command.rpartition(" ")
    project.variables |= {"PGPASSWORD": password, "PATH": f"{Path(sys.prefix) / 'bin'}:{os.environ['PATH']}"}
    ok(project.run("bash", "-c", f"{line} {address.replace('postgresql:', 'postgresql+psycopg:')}"))
    written = (project.path / "app/models/shop.py").read_text("utf-8")
    named = re.findall(r"^class (\w+)|^t_(\w+)", written, re.MULTILINE)
    assert {one or other for one, other in named} == {
        *("Base", "AlembicHistory", "Artist", "Album", "Track", "Playlist", "playlist_track"),
    }
    # The traps of the guide are traps still.
    for text in ("class Base(DeclarativeBase)", "name='track_price'", "Index('track_name_lower')"):
        assert text in written


INJECTED = {
    "index": (
        "s/^CREATE INDEX album_artist_id_idx.*//",
        "index public.album_artist_id_idx: only in the database",
    ),
    "type": ("s/character varying(120)/character varying(121)/", "column public.artist.name: type: "),
    "default": ("s/ DEFAULT 0.99 / /", "column public.track.unit_price: default: "),
    "identity": ("s/START WITH 1000/START WITH 1/", "sequence"),
    "comment": ("s/^COMMENT ON COLUMN.*//", "column public.track.composer: comment: "),
    "view": ("s/ > (600)/ > (60)/", "view public.long_tracks: "),
    "broken": ("s/^CREATE TABLE public.artist/CREATE TABLE public.artists/", "_baseline.sql:"),
}


def replace_pg_dump(project: Project, script: str) -> None:
    """Let the project find another `pg_dump` first."""
    program = project.write("bin/pg_dump", f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    project.write(".git/info/exclude", "bin/\n")
    project.variables["PATH"] = f"{program.parent}:/usr/bin:/bin"


@pytest.mark.long
def test_a_baseline_that_builds_something_else_is_removed_and_nothing_is_recorded(
    postgresql_project: Project,
) -> None:
    project = postgresql_project
    build(project, "music")
    real = pg_dump()[0]
    before = dump(project)
    for name, (change, said) in INJECTED.items():
        replace_pg_dump(project, f"{real} \"$@\" | sed -e '{change}'")
        result = project.make("migration-baseline")
        refused = refusal(result)
        assert said in result.stdout + refused, name
        if name != "broken":
            assert re.search(
                r"FAILED: \d+ objects? differs? from what the baseline builds, listed above", refused
            )
        assert not project.revisions()
        assert sorted(file.suffix for file in (project.path / "alembic/versions").glob("2026*")) == [".py"]
        assert dump(project) == before
    replace_pg_dump(project, f'echo "$@" >> {project.path}/bin/arguments; exec {real} "$@"')
    ok(project.make("migration-baseline"))
    password = project.url.partition("@")[0].rpartition(":")[2]
    arguments = (project.path / "bin/arguments").read_text("utf-8")
    assert "--dbname=postgresql://" in arguments
    assert password not in arguments


def test_what_leave_alone_names_is_not_in_the_baseline(postgresql_project: Project) -> None:
    project = postgresql_project
    project.edit(
        "alembic.ini", "leave_alone =", "leave_alone = payment* income audit last_updated switched_off"
    )
    build(project, "rental")
    project.sql("DROP TRIGGER last_updated ON film")
    ok(project.make("migration-baseline"))
    text = project.revisions()[0].with_suffix(".sql").read_text("utf-8")
    for name in ("payment", "income", "audit", "last_updated", "keep_entries"):
        assert name not in text
    assert "CREATE TABLE public.film" in text


def test_what_stands_in_the_way_is_one_line_and_nothing_is_written(postgresql_project: Project) -> None:
    project = postgresql_project
    project.script("CREATE TABLE things (id integer)")
    said = refusal(project.make("migration-baseline"))
    assert "alembic/ has changes that are not committed" in said
    commit(project)

    def refuse(words: str) -> None:
        said = refusal(project.make("migration-baseline"))
        assert words in said
        status = subprocess.run(
            ["git", "status", "--porcelain"], cwd=project.path, capture_output=True, text=True
        )
        assert status.stdout == ""
        assert "alembic_version" not in project.tables()

    replace_pg_dump(project, 'echo "pg_dump (PostgreSQL) 14.9"')
    refuse("FAILED: pg_dump 14 is older than the server, which is PostgreSQL ")
    replace_pg_dump(project, 'case $1 in --version) echo "pg_dump (PostgreSQL) 99.1";; *) exec false;; esac')
    refuse("FAILED: pg_dump failed; nothing was changed")
    folder = project.path / "bin"
    shutil.rmtree(folder)
    folder.mkdir()
    for program in ("make", "git", "sh"):
        found = shutil.which(program)
        assert found
        (folder / program).symlink_to(found)
    project.variables["PATH"] = str(folder)
    refuse("FAILED: pg_dump is not there: install PostgreSQL's client, of version ")
    del project.variables["PATH"]

    project.script("""
        CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
        CREATE EVENT TRIGGER "Watch" ON ddl_command_end EXECUTE FUNCTION watch();
        CREATE FOREIGN DATA WRAPPER far; CREATE SERVER elsewhere FOREIGN DATA WRAPPER far;
        CREATE FUNCTION own(cstring) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'cstring_in';
    """)
    refuse(
        'a superuser made these, and only one can: event trigger "Watch", foreign data wrapper far, '
        "foreign server elsewhere, function own(cstring). Name them in leave_alone"
    )
    project.script(
        'DROP EVENT TRIGGER "Watch"; DROP FOREIGN DATA WRAPPER far CASCADE; DROP FUNCTION own, watch'
    )
    project.sql("DROP TABLE things")
    refuse("FAILED: the database is empty: there is nothing to adopt, and 'make migrate' builds it")


def test_an_sqlite_file_that_is_not_there_is_empty_and_stays_missing(sqlite_project: Project) -> None:
    project = sqlite_project
    commit(project)
    assert "FAILED: the database is empty" in refusal(project.make("migration-baseline"))
    assert not (project.path / "dev.db").exists()


def test_a_baseline_whose_sql_cannot_be_written_leaves_no_file(sqlite_project: Project) -> None:
    project = sqlite_project
    versions = project.path / "alembic/versions"
    for minute in range(3):
        name = f"{datetime.now(UTC) + timedelta(minutes=minute):%Y%m%d_%H%M}_baseline.sql"
        (versions / name).symlink_to(f"/nowhere/{minute}")
    build(project, "notes")
    before = project.revisions()
    assert "_baseline.sql is not written: No such file" in refusal(project.make("migration-baseline"))
    assert project.revisions() == before
    assert project.tables().isdisjoint({"alembic_version", "alembic_history"})


@pytest.mark.first_on("sqlite")
def test_revisions_of_ones_own_and_a_managed_database_stay_as_they_are(project: Project) -> None:
    commit(project)
    ok(project.make("migrate"))
    said = refusal(project.make("migration-baseline"))
    assert f"stands at {INITIAL}: it is managed already. If no revision ever ran there: alembic stamp" in said
    project.sql("DELETE FROM alembic_version")
    ok(project.make("migration-empty", "MSG=mine"))
    commit(project)
    said = refusal(project.make("migration-baseline"))
    assert "FAILED: a baseline takes the place of the first revision, and " in said
    assert "of your own were written without it: delete their files" in said


@pytest.mark.first_on("sqlite")
def test_a_stamp_that_is_not_true_wants_the_name_of_the_database(project: Project) -> None:
    name = "dev.db" if project.dialect == "sqlite" else project.url.rpartition("/")[2]
    ok(project.make("migrate"))
    for table in ("alembic_version", "alembic_history"):
        project.sql(f"DROP TABLE {table}")
    project.sql("ALTER TABLE users ADD COLUMN nick TEXT")
    for variables in ({}, {"CONFIRM": "other"}):
        result = project.make("migration-stamp", "REV=head", **variables)
        said = refusal(result)
        assert f"FAILED: 1 object differs from what {INITIAL} builds, listed above" in said
        assert said.endswith(f"Nothing was changed; if you mean it, type it once more with CONFIRM={name}")
        assert ("CONFIRM is not the name" in said) == bool(variables)
        assert "users.nick: only in the database" in result.stdout
    assert "alembic_version" not in project.tables()
    said = ok(project.make("migration-stamp", "REV=head", f"CONFIRM={name}"))
    assert project.version() == [INITIAL]

    # Scripts that were written for Alembic go on, and are told.
    said = ok(project.alembic("stamp", "--purge", "head"))
    assert "WARNING [alembic.migrator] column " in said
    assert f"WARNING [alembic.migrator] 1 object differs from what {INITIAL} builds" in said
    project.sql("ALTER TABLE users DROP COLUMN nick")
    for command in (("stamp", "base"), ("stamp", "head")):
        assert "differs from what" not in ok(project.alembic(*command))
    ok(project.make("migration-stamp", "REV=head"))
    assert "Can't locate revision" in refusal(project.make("migration-stamp", "REV=abc"))


def test_a_stamp_that_nobody_can_compare_wants_the_name_too(
    postgresql_project: Project, postgres_server: PostgresServer
) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    name = project.url.rpartition("/")[2]
    postgres_server.sql(f"CREATE ROLE {name} LOGIN PASSWORD 'own' IN ROLE {postgres_server.superuser}")
    url = postgres_server.url(name, user=name, password="own")
    project.write(".env", f"DATABASE_URL={url}\n")
    said = refusal(project.make("migration-stamp", "REV=head"))
    assert f"FAILED: not compared with what {INITIAL} builds: " in said
    assert "permission denied to create database" in said
    assert said.endswith(f"CONFIRM={name}")
    ok(project.make("migration-stamp", "REV=head", CONFIRM=name))
    assert "WARNING [alembic.migrator] not compared" in ok(project.alembic("stamp", "head"))
