"""Revision files and what Alembic does with them, with plain `alembic` as with make."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from projects import PRODUCT, Project, environment, like_others, ok, refusal

pytestmark = pytest.mark.slow
INITIAL = "5f3a9c1e7b24"

COLOUR = '''\
class Colour(enum.Enum):
    """Of a product."""

    red = "red"
    blue = "blue"


'''
COLOURED = (
    PRODUCT.replace("from decimal import", "import enum\nfrom decimal import").replace(
        "class Product", f"{COLOUR}class Product"
    )
    + "    colour: Mapped[Colour]\n"
)

CHECKED = PRODUCT.replace(
    "from sqlalchemy import Numeric", "from sqlalchemy import CheckConstraint, Numeric"
).replace(
    "    name: Mapped",
    '    __table_args__ = (CheckConstraint("price > 0", name="price_is_positive"),)\n\n    name: Mapped',
)


def body(revision: Path) -> str:
    """A revision's upgrade."""
    return revision.read_text("utf-8").partition("def upgrade")[2].partition("def downgrade")[0]


def test_no_revision_overwrites_another_of_the_same_minute(sqlite_project: Project) -> None:
    project = sqlite_project
    # The clock may move on once in between; names are compared without their time.
    project.write("app/models/product.py", PRODUCT)
    ok(project.alembic("revision", "--autogenerate", "-m", "same"))
    ok(project.alembic("revision", "-m", "same"))
    project.edit("app/models/product.py", "String(80)", "String(90)")
    ok(project.alembic("revision", "--autogenerate", "-m", "same"))
    ok(project.alembic("revision", "-m", "same", "--head", INITIAL, "--splice"))
    ok(project.alembic("merge", "heads", "-m", "same"))
    names = [revision.name for revision in project.revisions()]
    assert len(names) == 5
    minutes = {name[:13] for name in names}
    for minute in minutes:
        suffixes = sorted(name[13:] for name in names if name.startswith(minute))
        count = len(suffixes)
        assert suffixes == sorted(["_same.py", *(f"_same_{n}.py" for n in range(2, count + 1))])
    assert len(ok(project.alembic("history")).strip().splitlines()) >= 6


def test_an_identifier_is_not_given_twice(sqlite_project: Project) -> None:
    ok(sqlite_project.alembic("revision", "-m", "one", "--rev-id", "abc"))
    assert "exists already" in refusal(sqlite_project.alembic("revision", "-m", "two", "--rev-id", "abc"))
    assert len(sqlite_project.revisions()) == 1


def test_what_could_not_become_a_file_is_refused_before_any_work_is_done(sqlite_project: Project) -> None:
    project = sqlite_project

    def said(target: str, message: str) -> str:
        return refusal(project.make(target, f"MSG={message}", DATABASE_URL=NO_SERVER))

    assert "nothing to merge" in said("migration-merge", "x")
    assert "letter or digit" in said("migration", "!!!")
    ok(project.alembic("revision", "-m", "one"))
    ok(project.alembic("revision", "-m", "two", "--head", INITIAL, "--splice"))
    before = project.revisions()
    assert "migration-merge" in said("migration", "x")
    assert "migration-merge" in said("migration-empty", "x")
    assert "letter or digit" in said("migration-merge", "!!!")
    assert project.revisions() == before


def test_revisions_that_are_no_heads_are_merged_where_splice_asks_for_it(sqlite_project: Project) -> None:
    project = sqlite_project
    ok(project.alembic("revision", "-m", "one", "--rev-id", "aaa"))
    ok(project.alembic("revision", "-m", "two", "--rev-id", "bbb"))
    assert "nothing to merge" in refusal(project.alembic("merge", "-m", "both", INITIAL, "aaa"))
    ok(project.alembic("merge", "-m", "both", "--splice", INITIAL, "aaa"))
    assert len(project.revisions("both")) == 1


def test_a_folder_that_cannot_be_written_to_is_one_line(sqlite_project: Project) -> None:
    project, user = sqlite_project, like_others()
    (project.path / "alembic" / "versions").chmod(0o555)
    result = project.run(*user, sys.executable, "-m", "alembic", "revision", "-m", "x")
    assert refusal(result).endswith("alembic/versions cannot be written to")
    assert project.revisions() == []


def test_alembic_works_from_any_folder(project: Project, tmp_path: Path) -> None:
    ok(project.alembic("upgrade", "head", folder=tmp_path))
    assert "users" in project.tables()
    project.write("app/models/product.py", PRODUCT)
    ok(project.alembic("revision", "--autogenerate", "-m", "add products", folder=tmp_path))
    assert "products" in body(project.revisions()[0])
    ok(project.alembic("upgrade", "head", folder=tmp_path))
    ok(project.alembic("check", folder=tmp_path))


def test_an_empty_revision_is_written_without_a_database(sqlite_project: Project) -> None:
    sqlite_project.write(".env", "DATABASE_URL=postgresql://u:secret@127.0.0.1:1/none\n")
    ok(sqlite_project.alembic("revision", "-m", "by hand"))
    text = sqlite_project.revisions()[0].read_text("utf-8")
    # Ready to be filled: what every revision uses is imported.
    assert "import sqlalchemy as sa" in text
    assert "from alembic import op" in text


def test_an_enum_survives_up_down_up_and_its_new_values_are_seen(project: Project) -> None:
    project.write("app/models/product.py", COLOURED)
    ok(project.make("migration", "MSG=add products"))
    ok(project.make("migrate"))
    project.edit("app/models/product.py", '    blue = "blue"\n', '    blue = "blue"\n    yellow = "yellow"\n')
    ok(project.make("migration", "MSG=add yellow"))
    for command in ("upgrade head", f"downgrade {INITIAL}", "upgrade head", "check"):
        ok(project.alembic(*command.split()))
    project.sql(f"INSERT INTO products (id, name, price, colour) VALUES ('{'0' * 31}1', 'sun', 1, 'yellow')")
    assert project.sql("SELECT colour FROM products") == [("yellow",)]
    project.sql("DELETE FROM products")
    if project.dialect == "postgresql":
        ok(project.alembic("downgrade", "base"))
        assert project.sql("SELECT typname FROM pg_type WHERE typname = 'colour'") == []


def test_a_check_constraint_is_compared_by_what_it_says(project: Project) -> None:
    project.write("app/models/product.py", CHECKED)
    ok(project.make("migration", "MSG=add products"))
    ok(project.make("migrate"))
    assert "No changes" in ok(project.make("migration", "MSG=nothing"))

    project.edit("app/models/product.py", "price > 0", "price >= 0")
    ok(project.make("migration", "MSG=allow gifts"))
    assert "price >= 0" in body(project.revisions("allow_gifts")[0])
    ok(project.make("migrate"))
    assert "No changes" in ok(project.make("migration", "MSG=nothing"))

    project.write("app/models/product.py", PRODUCT)
    ok(project.make("migration", "MSG=drop the check"))
    ok(project.make("migrate"))
    ok(project.alembic("check"))
    project.sql(f"INSERT INTO products (id, name, price) VALUES ('{'0' * 31}1', 'debt', -1)")


def test_a_check_that_the_server_rewrites_is_no_phantom_change(project: Project) -> None:
    conditions = ("name IN ('a', 'b')", "price BETWEEN 1 AND 2", "name <> 'it''s: 1%'")
    checks = "".join(
        f'CheckConstraint("{condition}", name="c{number}"), ' for number, condition in enumerate(conditions)
    )
    one = 'CheckConstraint("price > 0", name="price_is_positive"),'
    assert one in CHECKED
    project.write("app/models/product.py", CHECKED.replace(one, checks))
    ok(project.make("migration", "MSG=add products"))
    assert "No changes" in ok(project.make("migration", "MSG=nothing"))


def test_what_looks_like_a_rename_is_pointed_out(project: Project) -> None:
    project.write("app/models/product.py", PRODUCT)
    ok(project.make("migration", "MSG=add products"))
    project.edit("app/models/product.py", "    name: Mapped", "    title: Mapped")
    printed = ok(project.make("migration", "MSG=rename"))
    assert "Renamed? products.name" in printed
    assert 'new_column_name="title"' in body(project.revisions("rename")[0])

    project.edit("app/models/product.py", "    price: Mapped", "    cost: Mapped")
    project.edit("app/models/product.py", "Mapped[Decimal] = mapped_column(Numeric(10, 2))", "Mapped[int]")
    project.edit("app/models/product.py", "from decimal import Decimal\n\n", "")
    project.edit("app/models/product.py", "Numeric, ", "")
    assert "Renamed?" not in ok(project.make("migration", "MSG=another type"))


def test_tables_of_others_are_left_alone_by_one_setting(project: Project) -> None:
    ok(project.make("migrate"))
    project.sql("CREATE TABLE celery_tasks (id INTEGER)")
    project.sql("CREATE TABLE forgotten (id INTEGER)")
    assert "celery_tasks" in refusal(project.alembic("check"))
    project.edit("alembic.ini", "leave_alone =", "leave_alone = spatial_ref_sys celery_*")
    said = refusal(project.alembic("check"))
    assert "celery_tasks" not in said
    assert "forgotten" in said
    project.edit("alembic.ini", "celery_*", "*")
    ok(project.alembic("check"))


def test_a_dropped_model_is_dropped_from_the_database(project: Project) -> None:
    project.write("app/models/product.py", PRODUCT)
    ok(project.make("migration", "MSG=add products"))
    (project.path / "app/models/product.py").unlink()
    ok(project.make("migration", "MSG=drop products"))
    assert 'op.drop_table("products")' in body(project.revisions("drop_products")[0])


def test_one_documented_place_takes_compare_functions_of_ones_own(project: Project) -> None:
    ok(project.make("migrate"))
    project.edit("app/models/user.py", "String(200)", "String(201)")
    assert "String(length=201)" in refusal(project.alembic("check"))
    says = '"""Whether a column\'s type changed: True, False, or None to let Alembic decide."""\n    return'
    project.edit("app/migrator/autogenerate.py", f"{says} None", f"{says} False")
    ok(project.alembic("check"))


DEFAULTS = {
    'text("CURRENT_TIMESTAMP")': "datetime",
    "func.now()": "datetime",
    'text("true")': "bool",
    "true()": "bool",
    'text("0")': "int",
    "text(\"'x'\")": "str",
    '"plain"': "str",
}


def test_a_server_default_is_no_phantom_change_and_another_one_is_seen(project: Project) -> None:
    columns = "".join(
        f"    value_{number}: Mapped[{kind}] = mapped_column(server_default={default})\n"
        for number, (default, kind) in enumerate(DEFAULTS.items())
    )
    project.write(
        "app/models/thing.py",
        "from datetime import datetime\n\nfrom sqlalchemy import func, text, true\n"
        "from sqlalchemy.orm import Mapped, mapped_column\n\nfrom app.models.base import BaseModel\n\n\n"
        f"class Thing(BaseModel):\n{columns}",
    )
    ok(project.make("migration", "MSG=add things"))
    assert "No changes" in ok(project.make("migration", "MSG=nothing"))
    project.edit("app/models/thing.py", 'text("0")', 'text("1")')
    ok(project.make("migration", "MSG=begin with one"))
    assert "value_4" in body(project.revisions("begin_with_one")[0])


FAMILY = '''\
"""Models of a test."""

from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import BaseModel


class Parent(BaseModel):
    """Has children."""

    name: Mapped[str] = mapped_column(String(10))


class Child(BaseModel):
    """Goes with its parent."""

    parent_id: Mapped[UUID] = mapped_column(ForeignKey("parents.id", ondelete="CASCADE"))
'''


def add_family(project: Project) -> None:
    """A parent with a child, in tables that a migration made."""
    project.write("app/models/family.py", FAMILY)
    ok(project.make("migration", "MSG=add family"))
    ok(project.make("migrate"))
    one = "0" * 31 + "1"
    project.sql(f"INSERT INTO parents (id, name) VALUES ('{one}', 'p')")
    project.sql(f"INSERT INTO childs (id, parent_id) VALUES ('{one}', '{one}')")


def test_batch_mode_on_sqlite_loses_no_child_row(sqlite_project: Project) -> None:
    project = sqlite_project
    add_family(project)
    project.edit("app/models/family.py", "String(10)", "String(20)")
    ok(project.make("migration", "MSG=longer names"))
    assert "batch_alter_table" in body(project.revisions("longer")[0])
    ok(project.make("migrate"))
    assert project.sql("SELECT count(*) FROM childs") == [(1,)]
    assert project.sql("SELECT name FROM parents") == [("p",)]


NO_SERVER = "postgresql://app:hidden@127.0.0.1:1/dev"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (NO_SERVER, "127.0.0.1:1: nothing listens there; 'make db-up'"),
        ("postgresql://app:hidden@no-such-host.invalid/dev", "host's name is not known"),
        ("sqlite:////no/such/folder/dev.db", "unable to open database file"),
        ("mysql://app:hidden@localhost/dev", "DATABASE_URL"),
        ("postgresql://app:hidden@localhost/dev?fetch_size=1", "fetch_size"),
    ],
)
def test_a_database_out_of_reach_is_one_line(sqlite_project: Project, url: str, said: str) -> None:
    result = sqlite_project.make("migrate", DATABASE_URL=url)
    assert said in refusal(result)
    assert "hidden" not in result.stdout + result.stderr


def test_no_command_meets_a_missing_server_with_a_traceback(sqlite_project: Project) -> None:
    for command in (
        "migration MSG=x",
        "migration-current",
        "migration-check",
        "migrate-test",
        "migration-down",
        "migration-stamp REV=head",
    ):
        result = sqlite_project.make(*command.split(), DATABASE_URL=NO_SERVER)
        assert "nothing listens there; 'make db-up'" in refusal(result)
        assert "hidden" not in result.stdout + result.stderr


def test_a_wrong_password_and_an_unknown_database_are_one_line(postgresql_project: Project) -> None:
    project = postgresql_project
    server, _, _ = project.url.rpartition("/")
    wrong = re.sub(r"://([^:]+):[^@]+@", r"://\1:not-it@", project.url)
    result = project.make("migrate", DATABASE_URL=wrong)
    assert "refused the password" in refusal(result)
    assert "not-it" not in result.stdout + result.stderr
    assert "no such database" in refusal(project.make("migrate", DATABASE_URL=f"{server}/nowhere"))


def test_a_revision_that_nobody_knows_is_one_line(project: Project) -> None:
    ok(project.make("migrate"))
    for target in ("migrate", "migration-down", "migration-stamp"):
        assert "'nope'; 'make migration-history'" in refusal(project.make(target, "REV=nope"))
    assert project.version() == [INITIAL]


def test_a_database_that_is_ahead_of_the_code_is_one_line_and_stays_as_it_is(project: Project) -> None:
    ok(project.make("migrate"))
    project.sql("UPDATE alembic_version SET version_num = 'fedcba987654'")
    for target in ("migrate", "migration-down", "migration-current"):
        assert "fedcba987654" in refusal(project.make(target))
    assert project.version() == ["fedcba987654"]


def test_a_folder_with_a_strange_name_is_no_obstacle(project: Project, tmp_path: Path) -> None:
    strange = tmp_path / "it's: a $(b) #1 ü"
    project.path.rename(strange)
    project.path = strange
    ok(project.make("migrate"))
    project.add_product()
    ok(project.make("migration", "MSG=add products"))
    ok(project.make("migrate"))
    assert "products" in project.tables()


COMPUTED = '''\
"""A model of a test."""

from sqlalchemy import Computed, Identity, Integer
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class Square(Base):
    """Keys and values that the server makes."""

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    side: Mapped[int]
    area: Mapped[int] = mapped_column(Integer, Computed("side * side"))
'''


def add_squares(project: Project) -> None:
    """A table with a computed and an identity column, of a migration."""
    # SQLite has no identity columns, and would be asked for one each time.
    text = COMPUTED if project.dialect == "postgresql" else COMPUTED.replace("Identity(), ", "")
    project.write("app/models/square.py", text.replace("Identity, ", "") if text != COMPUTED else text)
    ok(project.make("migration", "MSG=add squares"))
    ok(project.make("migrate"))


def test_computed_and_identity_columns_are_compared(project: Project) -> None:
    add_squares(project)
    project.sql("INSERT INTO squares (side) VALUES (3)")
    assert project.sql("SELECT area FROM squares") == [(9,)]
    assert "No changes" in ok(project.make("migration", "MSG=nothing"))
    ok(project.alembic("check"))


def test_a_changed_computed_column_which_no_revision_can_change_is_reported(project: Project) -> None:
    add_squares(project)
    ok(project.make("migration-check"))
    project.edit("app/models/square.py", "side * side", "side + side")
    for target in ("migration-check", "migrate-test"):
        result = project.make(target)
        assert "differ" in refusal(result)
        assert "squares.area cannot be modified" in result.stdout


def test_a_step_down_from_a_merge_asks_which_way(sqlite_project: Project) -> None:
    project = sqlite_project
    ok(project.make("migration-empty", "MSG=one"))
    ok(project.alembic("revision", "-m", "two", "--head", INITIAL, "--splice"))
    ok(project.make("migration-merge"))
    ok(project.make("migrate"))
    assert "REV=<revision>" in refusal(project.make("migration-down"))
    ok(project.make("migration-down", f"REV={INITIAL}"))
    assert project.version() == [INITIAL]


def test_sql_that_cannot_be_written_leaves_nothing_on_stdout(sqlite_project: Project) -> None:
    project = sqlite_project
    project.write("app/models/product.py", PRODUCT)
    ok(project.make("migration", "MSG=add products"))
    project.edit("app/models/product.py", "String(80)", "String(90)")
    ok(project.make("migration", "MSG=longer names"))
    for revision in ("", "REV=nope", "REV=-1", "REV=nope:base", "REV=head:head:head"):
        result = project.make("migration-sql", *filter(None, [revision]))
        assert "FAILED" in refusal(result)
        assert result.stdout == ""


def test_sql_from_one_revision_to_another_leads_up_or_down(sqlite_project: Project) -> None:
    project = sqlite_project
    project.write("app/models/product.py", PRODUCT)
    ok(project.make("migration", "MSG=add products"))
    up = project.make("migration-sql", f"REV={INITIAL}:head").stdout
    assert "CREATE TABLE products" in up
    assert "CREATE TABLE users" not in up
    down = project.make("migration-sql", f"REV=head:{INITIAL}").stdout
    assert "DROP TABLE products" in down
    assert down == project.make("migration-sql", "REV=head:-1").stdout


def fill(project: Project, slug: str, *statements: str) -> None:
    """Write a revision whose upgrade consists of these statements."""
    ok(project.alembic("revision", "-m", slug))
    path = str(project.revisions(slug)[0].relative_to(project.path))
    lines = "\n    ".join(statements)
    project.edit(path, "def upgrade() -> None:\n    pass", f"def upgrade() -> None:\n    {lines}")


def test_whatever_a_revision_trips_over_is_named_with_its_line(project: Project) -> None:
    fill(project, "seed", 'open("seed.csv")')
    line = refusal(project.make("migrate"))
    assert re.search(r"_seed\.py:\d+: FileNotFoundError: .*seed\.csv", line)
    assert "server" not in line
    assert "users" in project.tables() or project.dialect == "sqlite"


def test_what_an_autocommit_block_did_is_not_said_to_be_undone(postgresql_project: Project) -> None:
    project = postgresql_project
    block = "with op.get_context().autocommit_block():"
    fill(
        project,
        "half",
        block,
        '    op.execute("CREATE TABLE left_behind (id INTEGER)")',
        '    op.execute("SELEC 1")',
    )
    assert "what its autocommit_block has done stays" in refusal(project.make("migrate"))
    assert "left_behind" in project.tables()


def test_a_mistake_in_a_model_is_named_with_its_line(sqlite_project: Project) -> None:
    sqlite_project.write("app/models/bad.py", "x = (\n")
    for target in ("migrate", "migration-history", "migration-check"):
        assert "app/models/bad.py:1: SyntaxError" in refusal(sqlite_project.make(target))


def test_a_reset_that_could_not_migrate_afterwards_drops_nothing(project: Project) -> None:
    ok(project.make("migrate"))
    confirm = "CONFIRM=" + ("dev.db" if project.dialect == "sqlite" else project.url.rpartition("/")[2])
    project.write("app/models/bad.py", "x = (\n")
    assert "SyntaxError" in refusal(project.make("db-reset", confirm))
    assert "users" in project.tables()
    (project.path / "app/models/bad.py").unlink()
    project.write("alembic/versions/20260102_0000_bad.py", "x = (\n")
    assert "20260102_0000_bad.py:1: SyntaxError" in refusal(project.make("db-reset", confirm))
    assert "users" in project.tables()


def test_a_model_in_a_schema_of_its_own_is_no_phantom_change(postgresql_project: Project) -> None:
    project = postgresql_project
    text = PRODUCT.replace("    name: Mapped", '    __table_args__ = {"schema": "shop"}\n\n    name: Mapped')
    project.write("app/models/product.py", text)
    ok(project.make("migration", "MSG=add products"))
    path = str(project.revisions()[0].relative_to(project.path))
    project.edit(path, "    op.create_table(", '    op.execute("CREATE SCHEMA shop")\n    op.create_table(')
    ok(project.make("migrate"))
    assert "No changes" in ok(project.make("migration", "MSG=nothing"))


def test_a_database_in_memory_is_not_migrated(sqlite_project: Project) -> None:
    assert "in memory" in refusal(sqlite_project.make("migrate", DATABASE_URL="sqlite://"))


def test_the_gate_says_that_the_database_knows_more(project: Project) -> None:
    ok(project.make("migrate"))
    project.sql("UPDATE alembic_version SET version_num = 'fedcba987654'")
    assert "fedcba987654, which this code does not know" in ok(project.make("migration-check"))


def test_a_command_that_is_told_to_end_leaves_no_throwaway_database(postgresql_project: Project) -> None:
    project = postgresql_project
    fill(project, "slow", 'op.execute("SELECT pg_sleep(20)")')
    running = subprocess.Popen(
        [sys.executable, "-m", "alembic", "revision", "--autogenerate", "-m", "x"],
        cwd=project.path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    name = project.url.rpartition("/")[2]
    throwaways = f"SELECT count(*) FROM pg_database WHERE datname LIKE '{name}_throwaway%'"
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(20)'"
    deadline = time.monotonic() + 30
    while project.sql(asleep) == [(0,)]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert project.sql(throwaways) == [(1,)]
    running.terminate()
    out, err = running.communicate(timeout=30)
    assert running.returncode != 0
    assert "interrupted" in out
    assert "Traceback" not in out + err
    assert project.sql(throwaways) == [(0,)]
