"""What every model gets from `BaseModel`, on the database that the tests run on."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import MetaData, String, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

import app.models  # noqa: F401 - registers all models
from app.models.base import Base, BaseModel, UTCDateTime
from app.naming import NAMING_CONVENTION
from dbkit.table_names import table_name


class Gadget(BaseModel):
    """A model of these tests alone: its metadata is not that which migrations compare."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)

    code: Mapped[str] = mapped_column(String(20), unique=True)
    is_new: Mapped[bool] = mapped_column(default=True, server_default=text("true"))


@pytest.fixture
async def session(session: AsyncSession) -> AsyncSession:
    """A session with the table of the model above, which goes with the test."""
    connection = await session.connection()
    await connection.run_sync(Gadget.metadata.create_all)
    await session.commit()
    return session


async def test_a_saved_row_has_an_id_of_version_7_and_times_in_utc(session: AsyncSession) -> None:
    gadget = Gadget(code="A")
    session.add(gadget)
    await session.commit()

    assert gadget.id.version == 7
    assert gadget.is_new is True
    assert gadget.created_at.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - gadget.created_at) < timedelta(minutes=1)


async def test_updated_at_is_there_without_io_after_an_update_and_a_commit(
    session: AsyncSession,
) -> None:
    gadget = Gadget(code="A")
    session.add(gadget)
    await session.commit()

    gadget.code = "B"
    await session.commit()

    assert gadget.updated_at >= gadget.created_at  # reading it later would raise MissingGreenlet


async def test_plain_sql_gets_its_times_and_flag_from_the_server(session: AsyncSession) -> None:
    await session.execute(
        text("INSERT INTO gadgets (id, code) VALUES (:id, 'SQL')"),
        {"id": uuid4() if session.get_bind().dialect.name == "postgresql" else uuid4().hex},
    )
    gadget = (await session.scalars(select(Gadget))).one()

    assert gadget.is_new is True
    assert gadget.created_at.utcoffset() == gadget.updated_at.utcoffset() == timedelta(0)


async def test_two_rows_cannot_share_what_is_unique(session: AsyncSession) -> None:
    session.add_all([Gadget(code="A"), Gadget(code="A")])
    with pytest.raises(IntegrityError):
        await session.commit()


async def test_a_test_leaves_nothing_to_the_next_one(session: AsyncSession) -> None:
    assert (await session.scalars(select(Gadget))).all() == []


def test_a_repr_shows_nothing_but_class_and_id() -> None:
    gadget = Gadget(id=UUID(int=1), code="secret")
    assert repr(gadget) == "<Gadget 00000000-0000-0000-0000-000000000001>"


def test_the_key_comes_first_and_the_times_last() -> None:
    names = [column.name for column in Gadget.__table__.columns]
    assert names[0] == "id"
    assert names[-2:] == ["created_at", "updated_at"]


def test_every_constraint_and_index_has_a_name() -> None:
    for table in Base.metadata.tables.values():
        assert all(item.name for item in table.constraints), table.name
        assert all(item.name for item in table.indexes), table.name


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("User", "users"),
        ("OrderItem", "order_items"),
        ("Category", "categories"),
        ("Day", "days"),
        ("Address", "addresses"),
        ("HTTPProxy", "http_proxies"),
    ],
)
def test_a_table_is_named_after_its_class(name: str, table: str) -> None:
    assert table_name(name) == table


def test_a_datetime_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        UTCDateTime().process_bind_param(datetime(2026, 1, 1), None)  # type: ignore[arg-type] # no dialect
