"""Single changes of models on SQLite: the revision that the kit writes is right both ways, and keeps rows."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, MetaData

from app.naming import NAMING_CONVENTION
from dbkit.schema import Picture, differences, read
from support.random_models.databases import with_sqlite
from support.random_models.our_writer import OurRevision

CHANGES: dict[str, dict[str, str]] = tomllib.loads(
    Path(__file__).with_name("sqlite_changes.toml").read_text("utf-8")
)
TABLE = """
t = sa.Table(
    "t",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("a", sa.Integer),
    sa.Column("b", sa.Text),
    {}
)
{}
"""
ENUM = 'sa.Column("e", sa.Enum("new", "{}", name="e"))'
ROWS = [(1, 1, "x"), (2, -5, None), (3, None, "Y")]
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning", "ignore::UserWarning")


def models(change: dict[str, str], side: str) -> MetaData:
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    parts, index = change.get(side, ""), change.get(f"{side}_index", "")
    exec(TABLE.format(parts, index), {"sa": sa, "metadata": metadata})  # noqa: S102 - made here
    return metadata


def picture(connection: Connection) -> Picture:
    with connection.begin():
        return read(connection)


def rows(connection: Connection) -> list[Any]:
    with connection.begin():
        return [*connection.exec_driver_sql("SELECT id, a, b FROM t ORDER BY id")]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_made_and_taken_back_in_one_file(change: str) -> None:
    def run(a: Connection, b: Connection) -> None:
        with a.begin(), b.begin():
            models(CHANGES[change], "before").create_all(a)
            wanted.create_all(b)
            for number, first, second in ROWS:
                a.exec_driver_sql("INSERT INTO t (id, a, b) VALUES (?, ?, ?)", (number, first, second))
        before = picture(a)
        revision = OurRevision(a, wanted, picture(a))
        assert CHANGES[change].get("revision", "") in revision.text
        revision.upgrade()
        assert differences(picture(a), picture(b)) == [], revision.text
        assert rows(a) == ROWS
        assert OurRevision(a, wanted, picture(a)).is_empty
        revision.downgrade()
        assert differences(picture(a), before) == [], revision.text
        assert rows(a) == ROWS

    wanted = models(CHANGES[change], "after")
    with_sqlite(run)


def test_a_column_that_is_computed_no_more_keeps_its_values() -> None:
    def run(a: Connection, _: Connection) -> None:
        with a.begin():
            models(change, "before").create_all(a)
            a.exec_driver_sql("INSERT INTO t (id, a) VALUES (1, 1), (2, 41)")
        OurRevision(a, models(change, "after"), picture(a)).upgrade()
        assert a.exec_driver_sql("SELECT g FROM t").scalars().all() == [2, 42]

    change = CHANGES["a computed column that is to be an ordinary one"]
    with_sqlite(run)


@pytest.mark.parametrize("module", ["fts5(b, content='t', content_rowid='id')", "rtree(id, low, high)"])
def test_a_virtual_table_is_left_alone_with_the_tables_that_it_keeps_its_data_in(module: str) -> None:
    def run(a: Connection, _: Connection) -> None:
        with a.begin():
            models({}, "before").create_all(a)
            a.exec_driver_sql(f"CREATE VIRTUAL TABLE v USING {module}")
        assert OurRevision(a, models({}, "after"), picture(a)).is_empty
        revision = OurRevision(
            a, models({"after": 'sa.Column("c", sa.Integer, unique=True)'}, "after"), picture(a)
        )
        assert "drop_table" not in revision.text
        revision.upgrade()
        revision.downgrade()
        assert OurRevision(a, models({}, "after"), picture(a)).is_empty

    with_sqlite(run)


def test_a_renamed_member_of_an_enum_without_a_check_is_no_change_of_the_schema() -> None:
    """Such a column is a VARCHAR as long as the longest member. Only its rows have the old name."""

    def run(a: Connection, _: Connection) -> None:
        with a.begin():
            models({"before": ENUM.format("old")}, "before").create_all(a)
        assert OurRevision(a, models({"after": ENUM.format("odd")}, "after"), picture(a)).is_empty
        assert not OurRevision(a, models({"after": ENUM.format("aged")}, "after"), picture(a)).is_empty

    with_sqlite(run)
