"""Single changes of models on PostgreSQL: the revision that the kit writes is right both ways."""

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, MetaData

from app.naming import NAMING_CONVENTION
from dbkit.schema import Picture, differences, read
from support.random_models.databases import with_postgresql
from support.random_models.our_writer import OurRevision
from support.servers import PostgresServer

# The columns of a table `t`, beside `id`, before and after.
COMPUTED = 'sa.Column("g", sa.Integer, sa.Computed({!r}, persisted=True), index=True)'
CHANGES = {
    "the type of a column that another one is computed from": (
        f'sa.Column("a", sa.Integer), {COMPUTED.format("a + 1")}',
        f'sa.Column("a", sa.SmallInteger), {COMPUTED.format("a + 1")}',
    ),
    "a computed column, with its type, and the column that it used": (
        f'sa.Column("a", sa.Integer), {COMPUTED.format("a + 1")}',
        f'sa.Column("b", sa.Integer), {COMPUTED.format("b + 1")}'.replace('"g", sa.Int', '"g", sa.BigInt'),
    ),
    "an identity with options": (
        'sa.Column("a", sa.Integer, nullable=False)',
        'sa.Column("a", sa.Integer, sa.Identity(start=100, increment=10))',
    ),
    "a sequence in a schema of its own": (
        'sa.Column("a", sa.Integer)',
        'sa.Column("a", sa.Integer), *[sa.Sequence("s", schema="New", metadata=metadata)][:0]',
    ),
    "intervals with arguments": (
        'sa.Column("a", sa.Integer)',
        'sa.Column("b", sa.Interval(second_precision=3)), sa.Column("c", sa.Interval(native=False))',
    ),
}
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning", "ignore::UserWarning")


def models(columns: str) -> MetaData:
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    table = f'sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), {columns})'
    exec(table, {"sa": sa, "metadata": metadata})  # noqa: S102 - made here
    return metadata


def picture(connection: Connection) -> Picture:
    with connection.begin():
        return read(connection)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_made_and_taken_back_in_one_file(postgres_server: PostgresServer, change: str) -> None:
    def run(a: Connection, b: Connection) -> None:
        with a.begin(), b.begin():
            models(CHANGES[change][0]).create_all(a)
            if '"New"' in CHANGES[change][1]:
                b.exec_driver_sql('CREATE SCHEMA "New"')
            wanted.create_all(b)
        before = picture(a)
        revision = OurRevision(a, wanted, picture(a))
        revision.upgrade()
        assert differences(picture(a), picture(b)) == [], revision.text
        assert OurRevision(a, wanted, picture(a)).is_empty
        revision.downgrade()
        assert differences(picture(a), before) == [], revision.text

    wanted = models(CHANGES[change][1])
    with_postgresql(postgres_server, run)
