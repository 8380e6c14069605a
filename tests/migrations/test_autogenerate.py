"""What autogenerate takes for a change between the models and the revisions, and what it does not."""

import pytest

from support.projects import INITIAL, PRODUCT, Project, body, ok, refusal

pytestmark = pytest.mark.slow

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


@pytest.mark.first_on("postgresql")
@pytest.mark.long
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


@pytest.mark.first_on("postgresql")
@pytest.mark.long
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


@pytest.mark.first_on("postgresql")
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


@pytest.mark.first_on("sqlite")
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


@pytest.mark.first_on("sqlite")
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


@pytest.mark.first_on("sqlite")
def test_a_dropped_model_is_dropped_from_the_database(project: Project) -> None:
    project.write("app/models/product.py", PRODUCT)
    ok(project.make("migration", "MSG=add products"))
    (project.path / "app/models/product.py").unlink()
    ok(project.make("migration", "MSG=drop products"))
    assert 'op.drop_table("products")' in body(project.revisions("drop_products")[0])


def test_the_last_model_can_be_dropped(project: Project) -> None:
    (project.path / "app/models/user.py").unlink()
    ok(project.make("migration", "MSG=drop users"))
    assert 'op.drop_table("users")' in body(project.revisions("drop_users")[0])
    assert "No changes" in ok(project.make("migration", "MSG=nothing"))


def test_on_sqlite_a_changed_column_is_written_as_a_batch(sqlite_project: Project) -> None:
    project = sqlite_project
    project.write("app/models/product.py", PRODUCT)
    ok(project.make("migration", "MSG=add products"))
    project.edit("app/models/product.py", "String(80)", "String(90)")
    ok(project.make("migration", "MSG=longer names"))
    assert "batch_alter_table" in body(project.revisions("longer_names")[0])
    ok(project.make("migrate"))
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


@pytest.mark.first_on("postgresql")
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


@pytest.mark.long
def test_a_comment_on_a_constraint_is_written_and_makes_no_constraint_anew(
    postgresql_project: Project,
) -> None:
    project = postgresql_project
    unique = 'UniqueConstraint("name", name="uq_products_name"{})'
    text = PRODUCT.replace("from sqlalchemy import", "from sqlalchemy import UniqueConstraint,").replace(
        "    name: Mapped", f"    __table_args__ = ({unique.format('')},)\n\n    name: Mapped"
    )
    project.write("app/models/product.py", text)
    ok(project.make("migration", "MSG=add products"))
    project.edit("app/models/product.py", unique.format(""), unique.format(', comment="once"'))
    ok(project.make("migration", "MSG=say why"))
    written = body(project.revisions("say_why")[0])
    assert "COMMENT ON CONSTRAINT uq_products_name ON public.products IS 'once'" in written
    assert "_constraint(" not in written
    assert "No changes" in ok(project.make("migration", "MSG=nothing"))


@pytest.mark.long
def test_a_model_in_a_schema_of_its_own_is_no_phantom_change(postgresql_project: Project) -> None:
    project = postgresql_project
    text = PRODUCT.replace("    name: Mapped", '    __table_args__ = {"schema": "shop"}\n\n    name: Mapped')
    project.write("app/models/product.py", text)
    ok(project.make("migration", "MSG=add products"))
    assert 'op.execute("CREATE SCHEMA shop")' in body(project.revisions()[0])
    ok(project.make("migrate"))
    assert "No changes" in ok(project.make("migration", "MSG=nothing"))
    (project.path / "app/models/product.py").unlink()
    ok(project.make("migration", "MSG=remove products"))
    assert 'op.drop_table("products", schema="shop")' in body(project.revisions("remove")[0])
    ok(project.make("migrate"))
    ok(project.make("migration-check"))


def test_what_a_new_type_does_to_rows_is_printed_and_stands_in_the_file(postgresql_project: Project) -> None:
    project = postgresql_project
    project.write("app/models/product.py", PRODUCT)
    ok(project.make("migration", "MSG=add products"))
    more = "Numeric(10, 1), server_default='1')\n    size: Mapped[int | None]"
    project.edit("app/models/product.py", "Numeric(10, 2))", more)
    printed = ok(project.make("migration", "MSG=rounded"))
    note = "Values change: products.price becomes numeric(10,1) instead of numeric(10,2), which rounds to "
    assert note in printed
    assert f"    # {note}" in body(project.revisions("rounded")[0])
    assert "Dialect impl postgresql detected server default on column 'products.price'" in printed

    project.edit("app/models/product.py", "size: Mapped[int | None]", "size: Mapped[date | None]")
    project.edit("app/models/product.py", "from decimal", "from datetime import date\nfrom decimal")
    written = project.make("migration", "MSG=dates")
    assert "written, but not right as it is" in refusal(written)
    note = "No conversion: products.size becomes date instead of integer, and PostgreSQL has no cast for it: "
    assert note in written.stdout
    assert f"    # {note}" in body(project.revisions("dates")[0])


DOTTED = """
from sqlalchemy import Column, Computed, ForeignKey, Integer, Table

from app.models.base import Base

dotted = Table(
    "do.t",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("more", Integer, Computed("id + 1", persisted=True)),
)
"""

REFERS = """
Table(
    "refers",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("dotted_id", ForeignKey(dotted.c.id)),
)
"""


def test_a_foreign_key_to_a_name_with_a_dot_is_refused_by_name(postgresql_project: Project) -> None:
    project = postgresql_project
    project.write("app/models/dotted.py", DOTTED)
    keyword = "environment.run(metadata, compare_server_default=lambda *_: None, "
    project.edit("alembic/env.py", "environment.run(metadata, ", keyword)
    ok(project.make("migration", "MSG=add a table"))
    ok(project.make("migrate"))
    ok(project.make("migration-check"))  # asks no function about the computed column
    project.write("app/models/dotted.py", DOTTED + REFERS)
    said = refusal(project.make("migration", "MSG=refer to it"))
    assert "table refers: its foreign key refers to do.t (id), and Alembic cannot write one" in said
    assert len(project.revisions()) == 1
