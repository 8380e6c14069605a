"""What every model gets from `BaseModel`, on the database that the tests run on."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.models.base import Base, UTCDateTime, table_name
from app.models.user import User


async def test_a_saved_user_has_an_id_of_version_7_and_times_in_utc(session: AsyncSession) -> None:
    user = User(email="ada@example.com", name="Ada")
    session.add(user)
    await session.commit()

    assert user.id.version == 7
    assert user.is_active is True
    assert user.created_at.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - user.created_at) < timedelta(minutes=1)


async def test_updated_at_is_there_without_io_after_an_update_and_a_commit(
    session: AsyncSession,
) -> None:
    user = User(email="ada@example.com", name="Ada")
    session.add(user)
    await session.commit()

    user.name = "Ada Lovelace"
    await session.commit()

    assert user.updated_at >= user.created_at  # reading it later would raise MissingGreenlet


async def test_plain_sql_gets_its_times_and_flag_from_the_server(session: AsyncSession) -> None:
    await session.execute(
        text("INSERT INTO users (id, email, name) VALUES (:id, 'sql@example.com', 'SQL')"),
        {"id": uuid4() if session.get_bind().dialect.name == "postgresql" else uuid4().hex},
    )
    user = (await session.scalars(select(User))).one()

    assert user.is_active is True
    assert user.created_at.utcoffset() == user.updated_at.utcoffset() == timedelta(0)


async def test_two_users_cannot_share_an_address(session: AsyncSession) -> None:
    session.add_all([User(email="a@example.com", name="A"), User(email="a@example.com", name="B")])
    with pytest.raises(IntegrityError):
        await session.commit()


async def test_a_test_leaves_nothing_to_the_next_one(session: AsyncSession) -> None:
    assert (await session.scalars(select(User))).all() == []


def test_a_repr_shows_nothing_but_class_and_id() -> None:
    user = User(id=UUID(int=1), email="secret@example.com", name="Secret")
    assert repr(user) == "<User 00000000-0000-0000-0000-000000000001>"


def test_the_key_comes_first_and_the_times_last() -> None:
    names = [column.name for column in User.__table__.columns]
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
