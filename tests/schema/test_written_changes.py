"""The revision that the kit writes for a change, run on a table with rows, there and back."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Column, Computed, Connection, Integer, MetaData, String, Table, Text
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.exc import SQLAlchemyError

from dbkit.autogenerate.notes import notes_of
from dbkit.autogenerate.value_changes import value_change
from dbkit.schema import differences, read
from support.random_models.databases import clear, with_postgresql
from support.random_models.our_writer import OurRevision
from support.servers import PostgresServer

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
Make = Callable[[MetaData], object]
Kind = sa.types.TypeEngine[Any]


def key() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def metadata(make: Make) -> MetaData:
    convention = {
        "ix": "ix_%(column_0_label)s",
        "pk": "%(table_name)s_pkey",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
    made = MetaData(naming_convention=convention)
    make(made)
    return made


class Change:
    """A change of models, with its revision: its notes, what is wrong with it, what becomes of rows.

    Args:
        before: makes the models before.
        after: makes them afterwards.
        rows: SQL that writes rows, after the revision is written and before it runs.
        query: SQL that reads them.
        first: SQL for both databases before the models' tables.
    """

    def __init__(
        self,
        server: PostgresServer,
        before: Make,
        after: Make,
        *,
        rows: Sequence[str] = (),
        query: str = "SELECT 1",
        first: Sequence[str] = (),
    ) -> None:
        self.before, self.after = metadata(before), metadata(after)
        self.rows, self.query, self.first = rows, query, first
        self.wrong = self.text = ""
        self.up: list[tuple[Any, ...]] = []
        self.down: list[tuple[Any, ...]] = []
        try:
            with_postgresql(server, self._run)
        except (SQLAlchemyError, SyntaxError) as error:
            self.wrong = str(error)

    def _run(self, a: Connection, b: Connection) -> None:
        self._build(b, self.after)
        self._build(a, self.before)
        wanted, old = read(b), read(a)
        a.commit()
        revision = OurRevision(a, self.after, old)
        self.text = revision.text
        self.notes = [*notes_of(revision._script.upgrade_ops_list[0].ops)]
        a.commit()
        with a.begin():
            for row in self.rows:
                a.exec_driver_sql(row)
        revision.upgrade()
        new = read(a)
        self.wrong += "".join(one.describe("A", "B") for one in differences(new, wanted))
        self.up = [tuple(row) for row in a.exec_driver_sql(self.query)]
        a.commit()
        self.wrong += "" if OurRevision(a, self.after, new).is_empty else "another revision is not empty"
        a.commit()
        revision.downgrade()
        self.wrong += "".join(one.describe("A", "A before") for one in differences(read(a), old))
        self.down = [tuple(row) for row in a.exec_driver_sql(self.query)]
        a.commit()

    def _build(self, connection: Connection, models: MetaData) -> None:
        clear(connection)
        with connection.begin():
            for statement in self.first:
                connection.exec_driver_sql(statement)
            models.create_all(connection)


ZERO = "00000000-0000-0000-0000-000000000000"
COLOUR = sa.Enum("red", "1", name="colour")
# What a column is and becomes, with a value, what it is afterwards, and after the downgrade.
CONVERTED: dict[str, tuple[Any, ...]] = {
    "number_to_array": (Integer(), pg.ARRAY(Integer()), "5", "{5}", "5"),
    "array_of_others": (Integer(), pg.ARRAY(Text()), "5", "{5}", "5"),
    "array_of_text": (Text(), pg.ARRAY(Text()), "{a,b", '{"{a,b"}', "{a,b"),
    "array_of_enum": (COLOUR, pg.ARRAY(COLOUR), "red", "{red}", "red"),
    "element": (pg.ARRAY(Integer()), Integer(), "{5}", "5", "{5}"),
    "array_as_text": (pg.ARRAY(Integer()), Text(), "{5,6}", "{5,6}", "{5,6}"),
    "number_to_json": (Integer(), pg.JSONB(), "5", "5", "5"),
    "uuid_to_json": (sa.Uuid(), sa.JSON(), ZERO, f'"{ZERO}"', ZERO),
    "enum_to_json": (COLOUR, pg.JSONB(), "red", '"red"', "red"),
    "text_to_bytes": (Text(), sa.LargeBinary(), "a\\b", "\\x615c62", "a\\b"),
    "bytes_to_text": (sa.LargeBinary(), String(9), "\\x61", "a", "\\x61"),
    "to_boolean": (sa.BigInteger(), sa.Boolean(), "1", "true", "1"),
    "from_boolean": (sa.Boolean(), sa.Numeric(), "true", "1", "true"),
    "enum_to_number": (COLOUR, Integer(), "1", "1", "1"),
    "number_to_enum": (Integer(), COLOUR, "1", "1", "1"),
    "money": (pg.MONEY(), Integer(), "5", "5", "$5.00"),
}


def test_values_are_converted_there_and_back(postgres_server: PostgresServer) -> None:
    def make(number: int) -> Make:
        defaults = {name: case[2 + number] for name, case in CONVERTED.items()}
        return lambda models: Table(
            "things",
            models,
            key(),
            *(Column(name, case[number], server_default=defaults[name]) for name, case in CONVERTED.items()),
            *(Column(f"{name}_null", case[number]) for name, case in CONVERTED.items()),
        )

    shown = ", ".join(f"{name}::text" for name in CONVERTED)
    nulls = f"num_nonnulls({', '.join(f'{name}_null' for name in CONVERTED)})"
    row = ["INSERT INTO things (id) VALUES (1)"]
    change = Change(postgres_server, make(0), make(1), rows=row, query=f"SELECT {shown}, {nulls} FROM things")
    assert change.wrong == ""
    assert dict(zip(CONVERTED, change.up[0], strict=False)) == {
        name: case[3] for name, case in CONVERTED.items()
    }
    assert dict(zip(CONVERTED, change.down[0], strict=False)) == {
        name: case[4] for name, case in CONVERTED.items()
    }
    assert (change.up[0][-1], change.down[0][-1]) == (0, 0)


VALUES = {
    ("numeric", "numeric(5,2)"): "rounds to 2 digits behind the point",
    ("numeric(10,4)", "numeric(10,2)"): "rounds to 2 digits behind the point",
    ("numeric(10,2)", "numeric(12,2)"): None,
    ("numeric(10,2)[]", "numeric(10,1)[]"): "rounds to 1 digit behind the point",
    ("integer", "numeric(5,2)"): None,
    ("integer", "numeric(5,-2)"): "rounds to -2 digits behind the point",
    ("double precision", "integer"): "rounds to whole numbers",
    ("double precision", "real"): "keeps 6 digits of a number for certain",
    ("bigint", "double precision"): "keeps 15 digits of a number for certain",
    ("integer", "double precision"): None,
    ("integer", "bigint"): None,
    ("bigint", "integer"): None,  # or fails
    ("integer", "boolean"): "makes true of every number but 0",
    ("character varying(80)", "character varying(20)"): None,  # or fails
    ("timestamp without time zone", "date"): "drops the time of day",
    ("timestamp without time zone", "timestamp(0) without time zone"): "rounds to whole seconds",
    ("timestamp(3) without time zone", "timestamp without time zone"): None,
    ("time without time zone", "time(3) without time zone"): "rounds to 3 digits of a second",
    ("timestamp with time zone", "timestamp without time zone"): (
        "takes the time zone of the session for values without one"
    ),
    ("interval", "interval(3)"): "rounds to 3 digits of a second",
    ("interval", "interval day"): "drops what is smaller than a day",
    ("interval", "time without time zone"): "drops whole days",
    ("integer[]", "integer"): "keeps only the first element",
    ("integer[]", "character varying(3)"): None,
    ("inet", "cidr"): "sets the bits of the host to 0",
    ("uuid", "text"): None,
}


@pytest.mark.parametrize(("had", "wanted"), VALUES)
def test_what_happens_to_values_is_said(had: str, wanted: str) -> None:
    assert value_change(had, wanted) == VALUES[had, wanted]


def test_rows_that_change_or_fail_are_pointed_out(postgres_server: PostgresServer) -> None:
    def make(**columns: Kind) -> Make:
        return lambda models: Table(
            "things", models, key(), *(Column(name, kind) for name, kind in columns.items())
        )

    change = Change(
        postgres_server,
        make(price=sa.Numeric(), colour=COLOUR, other=COLOUR),
        make(price=sa.Numeric(5, 2), colour=Integer(), other=COLOUR),
    )
    assert change.notes == [
        "Values change: things.price becomes numeric(5,2) instead of numeric, which rounds to 2 digits "
        "behind the point",
        "Rows may fail: things.colour becomes integer instead of public.colour, and these values cannot: red",
    ]


def test_what_stands_in_the_way_of_a_type_is_made_anew(postgres_server: PostgresServer) -> None:
    def make(kind: Kind, own: Kind) -> Make:
        def tables(models: MetaData) -> None:
            owner = Table(
                "owners",
                models,
                Column("id", kind, primary_key=True),
                Column("size", own),
                Column('a "size"', own),
                Column("twice", own, Computed("size * 2"), index=True),
                Column("half", own, Computed('"a ""size""" / 2')),
                Column("wide", Integer, Computed("size + 1")),
            )
            Table(
                "owned", models, key(), Column("owner_id", kind, sa.ForeignKey(owner.c.id, name="fk_owner"))
            )

        return tables

    number = "00000000-0000-0000-0000-000000000001"
    change = Change(
        postgres_server,
        make(String(40), Integer()),
        make(sa.Uuid(), sa.BigInteger()),
        rows=[
            f"INSERT INTO owners (id, size) VALUES ('{number}', 3)",
            f"INSERT INTO owned (id, owner_id) VALUES (1, '{number}')",
        ],
        query="SELECT size, twice, wide, owner_id::text FROM owned JOIN owners ON owner_id = owners.id",
    )
    assert change.wrong == ""
    assert change.up == change.down == [(3, 6, 4, number)]


def test_rows_leave_an_enum_type_before_it_loses_their_values(postgres_server: PostgresServer) -> None:
    def make(kind: Kind, *values: str) -> Make:
        other = sa.Enum(*values, name="kind")
        return lambda models: Table(
            "t", models, key(), Column("a", kind, server_default="old"), Column("b", other)
        )

    change = Change(
        postgres_server,
        make(sa.Enum("old", "new", name="kind"), "old", "new"),
        make(Text(), "new"),
        rows=["INSERT INTO t (id, b) VALUES (1, 'new')"],
        query="SELECT a::text, b::text FROM t",
    )
    assert change.wrong == ""
    assert change.up == change.down == [("old", "new")]


def test_a_computed_column_goes_before_what_it_is_computed_from(postgres_server: PostgresServer) -> None:
    def make(name: str) -> Make:
        return lambda models: Table(
            "t", models, key(), Column("twice", Integer, Computed(f"{name} * 2")), Column(name, Integer)
        )

    assert Change(postgres_server, make("old"), make("new")).wrong == ""


def test_domains_of_models_are_written(postgres_server: PostgresServer) -> None:
    def make(condition: str, *, in_array: bool = False) -> Make:
        size = pg.DOMAIN("Size", Integer(), check=f"VALUE > {condition}", schema="shop")
        several: list[Column[Any]] = [Column("several", pg.ARRAY(size))] if in_array else []
        return lambda models: Table("t", models, key(), Column("a", size), *several)

    def without(models: MetaData) -> None:
        Table("t", models, key(), Column("a", Text))

    shop = ["CREATE SCHEMA shop"]
    rows = ["INSERT INTO t (id, a) VALUES (1, '5')"]
    there = make("0", in_array=True)
    change = Change(postgres_server, without, there, rows=rows, query="SELECT a::text FROM t", first=shop)
    assert change.wrong == ""
    assert change.up == change.down == [("5",)]
    assert Change(postgres_server, make("0"), make("1"), first=shop).wrong == ""


def test_alembics_gaps_are_filled(postgres_server: PostgresServer) -> None:
    def make(option: list[str] | None, name: str, comment: str | None) -> Make:
        return lambda models: Table(
            "t",
            models,
            Column("id", Integer),
            Column("a", Integer),
            Column("took", sa.Interval(second_precision=3 if option else None)),
            sa.PrimaryKeyConstraint("id", name=name),
            sa.UniqueConstraint("a", name="uq_a", postgresql_include=option),
            sa.CheckConstraint("a > 0", name="ck_a", comment=comment),
        )

    there = make(["id"], "other_pkey", "why")
    assert Change(postgres_server, make(None, "t_pkey", None), there).wrong == ""
    back = Change(postgres_server, there, make(None, "t_pkey", "why"))
    assert back.wrong == ""


def test_a_partitioned_table_comes_back_as_one(postgres_server: PostgresServer) -> None:
    def make(models: MetaData) -> None:
        Table("t", models, key(), postgresql_partition_by="RANGE (id)")
        Table("stays", models, key())

    assert Change(postgres_server, make, lambda models: Table("stays", models, key())).wrong == ""


def test_any_name_of_a_schema_is_the_services_own(postgres_server: PostgresServer) -> None:
    def make(kind: Kind) -> Make:
        return lambda models: Table("t", models, Column("a", kind), schema="set_aside_0")

    schema = ["CREATE SCHEMA set_aside_0"]
    assert Change(postgres_server, make(Text()), make(String(5)), first=schema).wrong == ""


def test_the_first_table_of_all_is_written(postgres_server: PostgresServer) -> None:
    assert Change(postgres_server, lambda _: None, lambda models: Table("a.b", models, key())).wrong == ""


def with_keys_to_a_computed_column(*computed: str, kind: Kind | None = None) -> Make:
    """Tables whose second column is unique together with the first, in three ways, and keys to these."""

    def owner(models: MetaData, unique: str, *parts: sa.schema.SchemaItem) -> Table:
        return Table(
            f"by {unique}",
            models,
            Column("id", kind or Integer()),
            Column("size", Integer, *(Computed(one, persisted=True) for one in computed)),
            *parts,
            schema="My Shop",
        )

    def tables(models: MetaData) -> None:
        owners = [
            owner(models, "constraint", sa.UniqueConstraint("id", "size", name="uq_size")),
            owner(models, "index"),
            owner(models, "key", sa.PrimaryKeyConstraint("id", "size", name="pk_size")),
        ]
        sa.Index("ix_size", owners[1].c.id, owners[1].c.size, unique=True)
        for number, one in enumerate(owners):
            reference = sa.ForeignKeyConstraint(["a", "b"], [one.c.id, one.c.size], name=f"fk_{number}")
            Table(f"owned{number}", models, Column("a", kind or Integer()), Column("b", Integer), reference)

    return tables


DOUBLED = with_keys_to_a_computed_column("id * 2")
OF_COMPUTED = {
    "computed": (with_keys_to_a_computed_column(), DOUBLED),
    "ordinary": (DOUBLED, with_keys_to_a_computed_column()),
    "other": (DOUBLED, with_keys_to_a_computed_column("id + id")),
    "type": (DOUBLED, with_keys_to_a_computed_column("id * 2", kind=sa.SmallInteger())),
}


@pytest.mark.parametrize(
    "change",
    [pytest.param(one, marks=pytest.mark.long if one in ("other", "type") else ()) for one in OF_COMPUTED],
)
def test_a_foreign_key_lets_a_computed_column_be_replaced(
    postgres_server: PostgresServer, change: str
) -> None:
    """It needs what is unique by that column, which goes with it."""
    owners = {
        number: f'"My Shop"."by {unique}"' for number, unique in enumerate(("constraint", "index", "key"))
    }
    rows = [
        statement
        for number, owner in owners.items()
        for statement in (f"INSERT INTO {owner} VALUES (3)", f"INSERT INTO owned{number} VALUES (3, 6)")
    ]
    query = " UNION ALL ".join(
        f"SELECT size FROM owned{number} JOIN {owner} ON id = a AND size = b"
        for number, owner in owners.items()
    )
    before, after = OF_COMPUTED[change]
    is_computed = before is DOUBLED  # what was not does not come back
    tried = Change(
        postgres_server,
        before,
        after,
        rows=rows if is_computed else (),
        query=query,
        first=['CREATE SCHEMA "My Shop"'],
    )
    assert tried.wrong == ""
    assert tried.up == tried.down == [(6,)] * len(owners) * is_computed


def test_names_that_the_server_cuts_are_no_change(postgres_server: PostgresServer) -> None:
    """It counts bytes, where SQLAlchemy counts characters."""
    long, half = "ü" * 58, "ü" * 29

    def make(*, is_unique: bool, condition: str) -> Make:
        def tables(models: MetaData) -> None:
            table = Table(
                "t",
                models,
                key(),
                Column(half, Integer),
                Column(f"b_{half}", Integer),
                sa.UniqueConstraint(half, f"b_{half}"),
                sa.UniqueConstraint("id", half, name=f"u{long}"),
                sa.CheckConstraint(condition, name=f"c{long}"),
            )
            sa.Index(f"i{long}", table.c[half], unique=is_unique)
            Table(
                "owned",
                models,
                key(),
                Column("a", Integer),
                Column("b", Integer),
                sa.ForeignKeyConstraint(["a", "b"], [table.c[half], table.c[f"b_{half}"]], name=f"f{long}"),
            )

        return tables

    change = Change(
        postgres_server,
        make(is_unique=False, condition="id > 0"),
        make(is_unique=True, condition="id > 1"),
    )
    assert change.wrong == ""
    assert f"u{long}" not in change.text
    assert change.text.count(f"i{long}") == 4


def test_a_table_with_a_quote_in_its_name_gets_a_comment(postgres_server: PostgresServer) -> None:
    quotes = ("'", "\\", '"')

    def make(*comments: str | None) -> Make:
        def tables(models: MetaData) -> None:
            for quote in quotes:
                for number, comment in enumerate(comments):
                    Table(f"{number}{quote}b", models, key(), schema=f"s{quote}", comment=comment)

        return tables

    schemas = ['CREATE SCHEMA "s{}"'.format(quote.replace('"', '""')) for quote in quotes]
    changed = Change(postgres_server, make(None, "it's", "\n"), make("it's", "\\", None), first=schemas)
    assert changed.wrong == ""


def test_a_default_from_a_sequence_with_a_quote_in_its_name_stays(postgres_server: PostgresServer) -> None:
    def make(note: str) -> Make:
        def tables(models: MetaData) -> None:
            number = Column(
                "number", Integer, sa.Sequence("it's"), server_default=sa.Sequence("it's").next_value()
            )
            Table("t", models, key(), number, Column(note, Text))

        return tables

    change = Change(postgres_server, make("a"), make("b"))
    assert change.wrong == ""
    assert "number" not in change.text


def test_parentheses_that_the_parser_drops_are_no_difference(postgres_server: PostgresServer) -> None:
    """BETWEEN is two comparisons, in parentheses of their own until somebody reads them back."""
    nested = "id BETWEEN 1 AND 9 AND size > 0 AND (id NOT BETWEEN 3 AND 4 OR size = 1)"

    def make(kind: Kind) -> Make:
        def tables(models: MetaData) -> None:
            table = Table(
                "t",
                models,
                Column("id", kind, primary_key=True),
                Column("size", Integer),
                Column("small", sa.Boolean, Computed(nested)),
                sa.CheckConstraint(f"{nested} AND (size IN (1, 2) OR true)", name="ck_size"),
            )
            sa.Index("ix_small", table.c.size, postgresql_where=sa.text(nested))

        return tables

    change = Change(postgres_server, make(Integer()), make(sa.BigInteger()))
    assert change.wrong == ""
    assert "ck_size" not in change.text


OTHERS: dict[str, Callable[[], Column[Any]]] = {
    "text": lambda: Column("n", Text),
    "with_default": lambda: Column("n", String(20), server_default="x", nullable=False),
    "numeric": lambda: Column("n", sa.Numeric()),
    "boolean": lambda: Column("n", sa.Boolean),
}


def test_an_identity_becomes_a_column_of_another_type_and_goes_on_counting(
    postgres_server: PostgresServer,
) -> None:
    def numbered(models: MetaData) -> None:
        for name in OTHERS:
            Table(name, models, Column("id", Integer), Column("n", Integer, sa.Identity()))

    def others(models: MetaData) -> None:
        for name, column in OTHERS.items():
            Table(name, models, Column("id", Integer), column())

    rows = [f"INSERT INTO {name} (id) VALUES (1), (2)" for name in OTHERS]
    shown = [f"SELECT n::text FROM {name}" for name in OTHERS]
    change = Change(postgres_server, numbered, others, rows=rows, query=" UNION ALL ".join(shown))
    assert change.wrong == ""
    assert [one for (one,) in change.up] == ["1", "2"] * 3 + ["true"] * 2
    assert [one for (one,) in change.down] == ["1", "2"] * 3 + ["1"] * 2
    back = Change(postgres_server, others, numbered)
    assert back.wrong == ""
    assert "setval" in back.text
