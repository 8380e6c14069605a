"""`make migration-check` compares the live database with what its revisions build, object by object."""

from support.database_state import add_revision
from support.projects import Project, ok, refusal


def test_a_change_by_hand_stops_the_gate_and_is_named(project: Project) -> None:
    ok(project.make("migrate"))
    assert "ok: " in ok(project.make("migration-check"))
    users = "public.users" if project.dialect == "postgresql" else "users"
    project.sql("ALTER TABLE users ADD COLUMN nick TEXT")
    project.sql("CREATE INDEX by_nick ON users (nick)")
    project.sql("CREATE TABLE scratch (id INTEGER)")
    said = project.make("migration-check")
    assert "drift: 3 objects differ from what the revisions build" in refusal(said)
    assert f"column {users}.nick: only in the database" in said.stdout
    assert f"table {users.replace('users', 'scratch')}: only in the database" in said.stdout

    # Each is mended, or left alone by name.
    project.sql("DROP INDEX by_nick")
    project.sql("ALTER TABLE users DROP COLUMN nick")
    assert "drift: 1 object differs" in refusal(project.make("migration-check"))
    project.edit("alembic.ini", "leave_alone =", "leave_alone = scratch")
    ok(project.make("migration-check"))
    project.sql("ALTER TABLE users ADD COLUMN nick TEXT")
    project.sql("CREATE INDEX dba_nick ON users (nick)")
    project.edit("alembic.ini", "leave_alone = scratch", "leave_alone = scratch dba_* nick")
    assert "drift: 1 object differs" in refusal(project.make("migration-check"))
    project.edit("alembic.ini", "dba_* nick", "dba_* users.nick")
    ok(project.make("migration-check"))


def test_a_database_is_compared_with_the_revisions_up_to_where_it_stands(project: Project) -> None:
    ok(project.make("migrate"))
    add_revision(project, 'op.execute("CREATE TABLE later (id INTEGER)")', downgrade="pass")
    refused = refusal(project.make("migration-check"))
    assert "1 pending" in refused
    assert "drift" not in refused
    project.sql("DROP TABLE users")
    assert "drift: 1 object differs" in refusal(project.make("migration-check"))


def test_drift_is_seen_by_a_role_that_may_only_read(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    name = project.url.rpartition("/")[2]
    reader = f"reader_{name}"
    project.sql(f"CREATE ROLE {reader} LOGIN PASSWORD 'read' CREATEDB IN ROLE pg_read_all_data")
    project.sql("ALTER TABLE users ALTER COLUMN email TYPE varchar(77)")
    url = project.url.split("@")[1]
    said = project.make("migration-check", DATABASE_URL=f"postgresql://{reader}:read@{url}")
    assert "drift: 1 object differs" in refusal(said)
    assert (
        "column public.users.email: type: character varying(320) in the revisions, "
        "character varying(77) in the database"
    ) in said.stdout
