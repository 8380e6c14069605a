"""What users of other templates type to name, read and dump a database: see `typed_commands.toml`."""

import re
import sqlite3
from pathlib import Path

import pytest

from support.baking import Baker
from support.projects import INITIAL, Project, ok, refusal
from support.servers import PostgresServer
from support.typed import ADA, Typed

pytestmark = [pytest.mark.slow, pytest.mark.first_on("postgresql")]


def test_the_environment_says_which_database_and_env_is_left_alone(
    sqlite_project: Project, typed: Typed, postgres_server: PostgresServer
) -> None:
    url = postgres_server.create_database()
    ok(typed(sqlite_project, f'export DATABASE_URL="{url}"\nalembic upgrade head'))
    assert Project(sqlite_project.path, url).version() == [INITIAL]
    assert not (sqlite_project.path / "dev.db").exists()

    other = postgres_server.create_database()
    line = 'export DATABASE_URL="${DB_CONNECTION_STRING}"\nmake migrate'
    ok(typed(sqlite_project, line, DB_CONNECTION_STRING=other))
    assert Project(sqlite_project.path, other).version() == [INITIAL]


def test_migrations_take_the_road_past_the_pooler(
    sqlite_project: Project, typed: Typed, postgres_server: PostgresServer
) -> None:
    url = postgres_server.create_database()
    line = f'export MIGRATION_DATABASE_URL="{url}"\nmake migrate migration-current'
    pooler = "postgresql://app:secret@127.0.0.1:1/app"
    ok(typed(sqlite_project, line, DATABASE_URL=pooler, ENVIRONMENT="staging"))
    assert Project(sqlite_project.path, url).version() == [INITIAL]


def test_a_relative_sqlite_url_with_a_dot_is_a_file_of_the_project(
    sqlite_project: Project, typed: Typed
) -> None:
    ok(typed(sqlite_project, "alembic upgrade head", DATABASE_URL="sqlite+aiosqlite:///./analytics.db"))
    assert "users" in Project(sqlite_project.path, "sqlite:///analytics.db").tables()


def test_env_names_the_database_where_grep_looks(bake: Baker, typed: Typed) -> None:
    project = Project(bake(), "")
    found = ok(typed(project, "cat .env | grep DATABASE_URL"))
    assert re.search(
        r"^DATABASE_URL=postgresql\+asyncpg://app:\w+@127\.0\.0\.1:5432/my_service_dev$", found, re.M
    )


def test_a_dump_holds_everything_and_can_be_restored(
    postgresql_project: Project, typed: Typed, postgres_server: PostgresServer
) -> None:
    project = postgresql_project
    ok(typed(project, "make migrate"))
    project.sql(ADA)
    url = {"DATABASE_URL": project.url}
    ok(typed(project, "pg_dump $DATABASE_URL > backup_$(date +%Y%m%d_%H%M%S).sql", **url))
    [plain] = project.path.glob("backup_*.sql")
    assert "CREATE TABLE public.users" in plain.read_text("utf-8")

    # As the guide writes it: for a URL with a driver's name, past a pooler, and back again.
    dump = "python -m dbkit db-client pg_dump --format=custom --file=before.dump"
    driver = project.url.replace("postgresql:", "postgresql+asyncpg:")
    pooler = "postgresql://pooler:6432/app?statement_cache_size=0&prepared_statement_cache_size=0"
    ok(typed(project, dump, MIGRATION_DATABASE_URL=driver, DATABASE_URL=pooler))
    (project.path / "before.dump").unlink()
    ok(typed(project, dump, DATABASE_URL=driver))
    ok(typed(project, "alembic downgrade base"))
    assert "users" not in project.tables()
    ok(typed(project, "python -m dbkit db-client pg_restore --clean --if-exists before.dump"))
    assert project.sql("SELECT email FROM users") == [("ada@example.com",)]
    assert project.version() == [INITIAL]


def test_psql_reads_and_drops_what_alembic_keeps(postgresql_project: Project, typed: Typed) -> None:
    project = postgresql_project
    ok(typed(project, "alembic upgrade head"))
    url = {"DATABASE_URL": project.url}
    assert INITIAL in ok(typed(project, 'psql "$DATABASE_URL" -c "SELECT * FROM alembic_version;"', **url))
    ok(typed(project, 'psql "$DATABASE_URL" -c "DROP TABLE alembic_version;"', **url))
    assert "alembic_version" not in project.tables()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM alembic_version;",
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active';",
        "SELECT query, state, query_start FROM pg_stat_activity"
        " WHERE query_start < now() - interval '1 minute' AND datname = current_database();",
    ],
)
def test_monitoring_queries_have_an_answer(postgresql_project: Project, query: str) -> None:
    ok(postgresql_project.make("migrate"))
    rows = postgresql_project.sql(query)
    assert rows == [] if "interval" in query else len(rows) == 1


def test_the_sql_of_an_upgrade_is_a_file_to_apply_by_hand(
    project: Project, typed: Typed, tmp_path: Path
) -> None:
    ok(typed(project, "alembic upgrade head --sql > upgrade.sql"))
    ok(typed(project, f"alembic upgrade {INITIAL} --sql > migration.sql"))
    written = (project.path / "upgrade.sql").read_text("utf-8")
    assert written == (project.path / "migration.sql").read_text("utf-8")
    assert "INFO" not in written
    if project.dialect == "sqlite":
        with sqlite3.connect(project.path / "dev.db") as connection:
            connection.executescript(written)
        connection.close()
    else:
        ok(typed(project, "python -m dbkit db-client psql --set=ON_ERROR_STOP=1 --file=upgrade.sql"))
    assert project.version() == [INITIAL]
    assert project.sql("SELECT email FROM users") == []
    ok(typed(project, "alembic check"))


def test_the_sql_of_a_way_back_wants_to_know_from_where(sqlite_project: Project, typed: Typed) -> None:
    project = sqlite_project
    assert "<fromrev>:<torev>" in refusal(typed(project, "alembic downgrade -1 --sql"))
    assert "DROP TABLE users" in typed(project, "alembic downgrade head:-1 --sql").stdout


@pytest.mark.parametrize(
    "line",
    [
        "pytest tests/test_database_migrations.py -v",
        pytest.param(
            'TEST_DATABASE_URL="sqlite:///test.db" pytest tests/test_database_migrations.py',
            marks=pytest.mark.long,
        ),
        pytest.param("pytest tests/", marks=pytest.mark.long),
    ],
)
def test_the_projects_tests_touch_no_database_that_is_named(
    postgresql_project: Project, typed: Typed, line: str
) -> None:
    project = postgresql_project
    printed = ok(typed(project, line))
    assert re.search(r"\d+ passed", printed)
    assert "failed" not in printed
    assert not (project.path / "test.db").exists()
    assert project.tables() == set()


def test_the_version_table_may_be_made_ahead_of_all(project: Project, typed: Typed) -> None:
    ok(typed(project, "alembic ensure_version"))
    assert project.version() == []
    ok(typed(project, "alembic upgrade head"))
    assert project.version() == [INITIAL]
