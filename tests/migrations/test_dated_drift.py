"""When a database was changed by hand: the history keeps the schema before and after each run."""

import asyncio
from datetime import datetime

import asyncpg
import pytest

from support.database_state import COLUMNS, add_revision, forget_columns, restricted
from support.documents import DOCUMENTS, blocks
from support.online_fixtures import transaction, until
from support.projects import Project, ok, refusal

KEPT = (
    "SELECT id, fingerprint_before, fingerprint_after, picture IS NOT NULL FROM alembic_history ORDER BY id"
)
ROWS = "INSERT INTO users (id, email, name) SELECT gen_random_uuid(), i, 'a' FROM unnest('{1,2}'::text[]) i"
NOT_KEPT = "the history does not keep the schema of this run"


def last_run(project: Project) -> str:
    """When the newest row of the history began, as lines name it."""
    begun = datetime.fromisoformat(project.log()[-1]["started_at"])
    return f"{begun:%Y-%m-%d %H:%M} UTC"


def named(project: Project, name: str) -> str:
    """With its schema, where there is one."""
    return f"public.{name}" if project.dialect == "postgresql" else name


def add_nothing(project: Project) -> None:
    """A revision that changes no table."""
    add_revision(project, 'op.execute("SELECT 1")')


@pytest.mark.first_on("sqlite")
def test_drift_has_a_date_before_and_after_the_next_run(project: Project) -> None:
    ok(project.make("migrate"))
    first = last_run(project)
    project.sql("CREATE INDEX by_name ON users (name)")
    index = f"index {named(project, 'by_name')}"
    said = project.make("migration-check")
    assert "drift: 1 object differs" in refusal(said)
    line = f"changed by hand since the run of {first}: {index}: only in the database"
    assert line in said.stdout.splitlines()

    # The next run says it once more, and goes on.
    add_nothing(project)
    assert f"changed by hand since the run of {first}: 1 object ({index}); 'make migration-check'" in ok(
        project.make("migrate")
    )
    project.sql("UPDATE alembic_history SET started_at = '2031-02-03 04:05:06' WHERE id = 2")
    project.sql("CREATE TABLE scratch (id INTEGER)")
    said = project.make("migration-check")
    assert "drift: 2 objects differ" in refusal(said)
    second = "2031-02-03 04:05 UTC"
    assert f"as it was left by the run of {second}: {index}: only in the database\n" in said.stdout
    assert (
        f"changed by hand since the run of {second}: table {named(project, 'scratch')}: only" in said.stdout
    )
    assert f"the schema was changed by hand between the runs of {first} and {second}\n" in said.stdout

    # What is put right is told, and stops nothing.
    project.sql("DROP TABLE scratch")
    project.sql("DROP INDEX by_name")
    said = project.make("migration-check")
    assert f"note: changed by hand since the run of {second}: {index}: only in that run\n" in ok(said)


def test_what_no_revision_decides_is_a_note(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    since = f"note: changed by hand since the run of {last_run(project)}: "
    role = f"friend_{project.url.rpartition('/')[2]}"
    project.script(
        f"CREATE ROLE {role}; GRANT SELECT ON users TO {role}; ALTER TABLE users OWNER TO {role};"
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {role};"
        "ALTER TABLE users ADD COLUMN first text; ALTER TABLE users DROP COLUMN first"
    )
    said = ok(project.make("migration-check"))
    assert (
        f"{since}table public.users: owner: postgres in that run, {role} in the database; privileges" in said
    )
    assert f"{since}default privileges of postgres for tables in public: only in the database" in said
    assert len([line for line in said.splitlines() if "by hand" in line]) == 2
    # A run is not interested in them.
    add_nothing(project)
    assert "by hand" not in ok(project.make("migrate"))


@pytest.mark.first_on("sqlite")
def test_only_the_newest_run_keeps_a_picture_and_a_run_with_nothing_to_do_keeps_none(
    project: Project,
) -> None:
    add_revision(project, 'op.execute("CREATE TABLE one (id INTEGER)")', downgrade='op.drop_table("one")')
    ok(project.make("migrate"))
    [(_, before, nothing, no_picture), (_, none, after, picture)] = project.sql(KEPT)
    assert (nothing, no_picture, none, picture) == (None, 0, None, 1)
    assert before != after
    assert "nothing to do" in ok(project.make("migrate"))
    assert len(project.sql(KEPT)) == 2
    for command in ("downgrade -1", "upgrade head", "stamp --purge head"):
        ok(project.alembic(*command.split()))
    rows = project.sql(KEPT)
    assert [row[3] for row in rows] == [0, 0, 0, 0, 1]
    down, up, stamp = (row[1:3] for row in rows[2:])
    assert down[0] == after
    assert up == down[::-1]
    assert stamp == (after, after)


OLDER_ROW = (
    f"INSERT INTO alembic_history ({', '.join(COLUMNS[1:])}) SELECT {', '.join(COLUMNS[1:])}"
    " FROM alembic_history WHERE id = 2"
)


@pytest.mark.first_on("postgresql")
@pytest.mark.long
def test_the_table_of_an_older_kit_gets_its_columns_from_the_next_run_that_changes_something(
    project: Project,
) -> None:
    ok(project.make("migrate"))
    forget_columns(project)
    assert project.log()[0]["fingerprint_after"] is None
    project.sql("CREATE TABLE scratch (id INTEGER)")
    said = project.make("migration-check")
    assert "drift: 1 object differs" in refusal(said)
    assert said.stdout.startswith(f"table {named(project, 'scratch')}: only in the database\n")
    unknown = "when it was changed is not known: the last run has kept no picture of the schema\n"
    assert unknown in said.stdout
    ok(project.make("migrate"))
    assert "nothing to do" in ok(project.make("migrate"))
    with pytest.raises(Exception, match="fingerprint_before"):
        project.sql(KEPT)

    add_nothing(project)
    assert "by hand" not in ok(project.make("migrate"))
    assert [row[3] for row in project.sql(KEPT)] == [0, 1]
    assert "as it was left by the run of" in project.make("migration-check").stdout
    # The older kit goes on writing: what it leaves is not known, and nobody is blamed.
    project.sql(OLDER_ROW)
    project.sql("CREATE TABLE another (id INTEGER)")
    assert unknown in project.make("migration-check").stdout
    add_nothing(project)
    assert "by hand" not in ok(project.make("migrate"))
    assert "between the runs" not in project.make("migration-check").stdout


@pytest.mark.long
def test_a_role_that_may_not_alter_the_table_gets_one_line(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    forget_columns(project)
    add_revision(project, 'op.execute("CREATE TABLE one (id INTEGER)")')
    said = ok(project.make("migrate", DATABASE_URL=restricted(project)))
    assert f"{NOT_KEPT}: must be owner of table alembic_history; the run goes on\n" in said
    assert said.count("WARN") == 1
    assert "one" in project.tables()

    # The guide tells the owner what to type.
    [statement] = [text for text in blocks(DOCUMENTS["what guards"], "sql") if "fingerprint" in text]
    project.sql(statement)
    ok(project.make("migration-stamp", "REV=base"))
    assert [row[3] for row in project.sql(KEPT)] == [False, False, True]


@pytest.mark.long
def test_a_table_that_others_read_for_long_gets_its_columns_later(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    forget_columns(project)
    add_nothing(project)

    async def migrate_meanwhile() -> str:
        connection = await asyncpg.connect(project.url.replace("+asyncpg", ""))
        try:
            await connection.execute("BEGIN; SELECT count(*) FROM alembic_history")
            return ok(await asyncio.to_thread(project.make, "migrate", MIGRATION_LOCK_TIMEOUT="0.3"))
        finally:
            await connection.close()

    said = asyncio.run(migrate_meanwhile())
    assert f"{NOT_KEPT}: a table is locked; the run goes on\n" in said
    add_nothing(project)
    assert "WARN" not in ok(project.make("migrate"))
    assert [row[3] for row in project.sql(KEPT)] == [False, False, True]


@pytest.mark.long
def test_a_catalogue_that_may_not_be_read_fails_no_run(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    project.sql("REVOKE SELECT ON pg_policy FROM PUBLIC")
    add_revision(project, 'op.execute("CREATE TABLE one (id INTEGER)")')
    said = ok(project.make("migrate", DATABASE_URL=restricted(project)))
    assert f"{NOT_KEPT}: permission denied for table pg_policy; the run goes on\n" in said
    assert said.count("WARN") == 1
    assert [row[2] is None for row in project.sql(KEPT)] == [False, True]


def test_what_a_run_that_failed_has_left_is_not_by_hand(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    first = last_run(project)
    project.sql("CREATE TABLE scratch (id INTEGER)")
    broken = add_revision(project, 'op.execute("nonsense")')
    refusal(project.make("migrate"))
    # Nothing of it stays, so the date is still that of the run before.
    since = f"changed by hand since the run of {first}: "
    assert f"{since}table public.scratch" in project.make("migration-check").stdout

    [file] = project.revisions(broken)
    file.write_text(file.read_text("utf-8").replace("nonsense", "CREATE TABLE one (id INTEGER)"), "utf-8")
    project.sql(ROWS)
    build = 'op.execute("CREATE UNIQUE INDEX CONCURRENTLY twice ON users (name)")'
    add_revision(project, f"with op.get_context().autocommit_block():\n        {build}")
    refusal(project.make("migrate"))
    said = project.make("migration-check")
    refusal(said)
    left = f"as it was left by the run of {last_run(project)}: "
    assert f"{left}table public.scratch: only in the database" in said.stdout
    assert f"{left}index public.twice: only in the database" in said.stdout
    assert "fails: index public.twice is invalid, so no query uses it: drop it, and create it" in said.stdout


@pytest.mark.long
@pytest.mark.parametrize("words", ["postgresql 14", "another dbkit"])
def test_pictures_of_other_versions_are_not_compared(postgresql_project: Project, words: str) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    project.sql("CREATE TABLE scratch (id INTEGER)")
    now = project.sql("SELECT fingerprint_after FROM alembic_history")[0][0].split()
    other = ["postgresql", "14", *now[2:]] if words.endswith("14") else [*now[:2], "01234567", *now[3:]]
    project.sql(f"UPDATE alembic_history SET fingerprint_after = '{' '.join(other)}'")
    date = last_run(project)
    reason = (
        f"the server was on version 14 in the run of {date}, and is on {now[1]}\n"
        if words.endswith("14")
        else f"another version of dbkit read the schema in the run of {date}\n"
    )
    said = project.make("migration-check")
    assert "drift: 1 object differs" in refusal(said)
    assert f"when it was changed is not known: {reason}" in said.stdout
    add_nothing(project)
    logged = ok(project.make("migrate"))
    assert f"what was changed by hand since the last run is not known: {reason}" in logged


FAILING = (
    "CREATE DOMAIN short AS text",
    "ALTER DOMAIN short ADD CONSTRAINT long CHECK (length(VALUE) < 9) NOT VALID",
    "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER watch BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION nothing()",
    "ALTER TABLE users DISABLE TRIGGER watch",
)
NAMED = (
    "constraint public.short.long is not validated, so older rows may break it: VALIDATE CONSTRAINT",
    "trigger public.users.watch is disabled: ENABLE TRIGGER",
)


def test_what_fails_in_the_server_is_named_though_the_revisions_leave_it_so(
    postgresql_project: Project,
) -> None:
    project = postgresql_project
    add_revision(project, *(f"op.execute({statement!r})" for statement in FAILING))
    ok(project.make("migrate"))
    said = ok(project.make("migration-check"))
    for line in NAMED:
        assert f"note: {line}, as the revisions leave it\n" in said


def test_what_fails_in_the_server_stops_the_gate(postgresql_project: Project) -> None:
    project = postgresql_project
    name = add_revision(project, 'op.execute("SELECT 1")')
    ok(project.make("migrate"))
    project.script("; ".join([ROWS, *FAILING]))
    with pytest.raises(asyncpg.UniqueViolationError):
        project.sql("CREATE UNIQUE INDEX CONCURRENTLY once ON users ((name IS NULL))")
    said = project.make("migration-check")
    assert "drift: 4 objects differ" in refusal(said)
    invalid = "index public.once is invalid, so no query uses it: drop it, and create it again"
    for line in (*NAMED, invalid):
        assert f"fails: {line}\n" in said.stdout

    # Nothing is compared while this code lacks a revision: the server's word alone counts.
    [file] = project.revisions(name)
    file.unlink()
    said = project.make("migration-check")
    assert refusal(said) == "FAILED: 1 index is invalid, listed above"
    assert f"fails: {invalid}\n" in said.stdout
    for line in NAMED:
        assert f"note: {line}\n" in said.stdout
    assert "note: changed by hand since the run of" in said.stdout


@pytest.mark.long
def test_an_index_under_construction_is_no_drift(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.make("migrate"))

    async def reindex() -> None:
        connection = await asyncpg.connect(project.url.replace("+asyncpg", ""))
        try:
            await connection.execute("REINDEX TABLE CONCURRENTLY users")
        finally:
            await connection.close()

    async def check() -> None:
        work = asyncio.create_task(reindex())
        unfinished = "SELECT count(*) > 0 FROM pg_index WHERE NOT indisvalid"
        await asyncio.to_thread(until, project, unfinished)
        said = await asyncio.to_thread(project.make, "migration-check")
        await work
        assert "is being built or dropped at this moment, and is not compared" in ok(said)

    with transaction(project, "SELECT count(*) FROM users", 4):
        asyncio.run(check())
    assert "note:" not in ok(project.make("migration-check"))
