"""What becomes of models in the database: found without a list, named, with exact times."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.projects import Project, ok
from support.servers import PostgresServer

MODELS = '''
from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy import Table, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, BaseModel


class Rack(Base):
    """A key of its own, of two columns."""

    room: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)


class SpareBox(BaseModel):
    __table_args__ = (
        ForeignKeyConstraint(["room", "place"], ["racks.room", "racks.place"]),
        UniqueConstraint("room", "label"),
        CheckConstraint("weight > 0", name="has_weight"),
        Index(None, "room", "weight"),
    )

    room: Mapped[str]
    place: Mapped[int]
    label: Mapped[str] = mapped_column(unique=True)
    code: Mapped[str] = mapped_column(index=True)
    weight: Mapped[int]
    kind: Mapped[str] = mapped_column(default="box")
    owner_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))

    __mapper_args__ = {"eager_defaults": True, "polymorphic_on": "kind", "polymorphic_identity": "box"}


class Crate(SpareBox):
    """Shares the table of its parent."""

    __mapper_args__ = {"polymorphic_identity": "crate"}


class SteelChest(SpareBox):
    """Has a table of its own, joined with its parent's."""

    __tablename__ = "steel_chests"
    id: Mapped[str] = mapped_column(ForeignKey("spare_boxes.id"), primary_key=True)
    lock: Mapped[str]

    __mapper_args__ = {"polymorphic_identity": "chest"}


class Named(Base):
    __tablename__ = "as_given"
    id: Mapped[int] = mapped_column(primary_key=True)


labels = Table(
    "box_labels",
    Base.metadata,
    Column("box_id", ForeignKey("spare_boxes.id"), primary_key=True),
    Column("named_id", ForeignKey("as_given.id"), primary_key=True),
)
'''

READ = """
import json
import app.models
from app.models.base import Base, BaseModel
tables = Base.metadata.tables
items = [item for t in tables.values() if t.name != "users" for item in (*t.constraints, *t.indexes)]
print(json.dumps({
    "tables": sorted(tables),
    "names": sorted(str(item.name) for item in items),
    "columns": {t.name: [c.name for c in t.columns] for t in tables.values()},
    "classes": {m.class_.__name__: m.local_table.name for m in Base.registry.mappers},
}))
"""


@pytest.fixture(scope="session")
def project(default_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with models three folders down, none of them a package, and with litter beside them."""
    project = Project.adopt(default_project, tmp_path_factory.mktemp("models") / "project", "sqlite://")
    project.write("app/models/shop/storage/boxes.py", MODELS)
    project.write("app/models/shop/.#boxes.py", "not Python")
    return project


@pytest.fixture(scope="session")
def registry(project: Project) -> dict[str, Any]:
    """What a new process knows that imports `app.models` alone."""
    return dict(json.loads(ok(project.python("-c", READ))))


def test_models_are_found_in_nested_folders_that_are_no_packages(registry: dict[str, Any]) -> None:
    assert {"racks", "spare_boxes", "users"} <= set(registry["tables"])


def test_an_association_table_is_one_of_the_metadata(registry: dict[str, Any]) -> None:
    assert "box_labels" in registry["tables"]


def test_tables_are_named_after_classes_unless_given_or_shared(registry: dict[str, Any]) -> None:
    assert registry["classes"] == {
        "User": "users",
        "Rack": "racks",
        "SpareBox": "spare_boxes",
        "Crate": "spare_boxes",
        "SteelChest": "steel_chests",
        "Named": "as_given",
    }


def test_every_kind_of_constraint_and_index_has_a_name_that_says_what_it_is(registry: dict[str, Any]) -> None:
    assert registry["names"] == [
        "ck_spare_boxes_has_weight",
        "fk_box_labels_box_id_spare_boxes",
        "fk_box_labels_named_id_as_given",
        "fk_spare_boxes_owner_id_users",
        "fk_spare_boxes_room_place_racks",
        "fk_steel_chests_id_spare_boxes",
        "ix_spare_boxes_code",
        "ix_spare_boxes_room_weight",
        "pk_as_given",
        "pk_box_labels",
        "pk_racks",
        "pk_spare_boxes",
        "pk_steel_chests",
        "uq_spare_boxes_label",
        "uq_spare_boxes_room_label",
    ]


def test_the_key_is_first_and_the_times_are_last(registry: dict[str, Any]) -> None:
    columns = registry["columns"]["spare_boxes"]
    assert columns[0] == "id"
    assert columns[-2:] == ["created_at", "updated_at"]
    assert len(columns) > 3


USE = """
import asyncio
from datetime import UTC, datetime
from sqlalchemy import text
from app.database import get_db_session, get_engine
from app.models.user import User

async def main():
    async for session in get_db_session():
        user = User(email="a@example.com", name="A")
        session.add(user)
        await session.commit()
        print(user.created_at.isoformat(), user.updated_at.isoformat())
        user.name = "B"
        await session.commit()
        print(user.created_at.isoformat(), user.updated_at.isoformat())
    await get_engine().dispose()

asyncio.run(main())
"""


def test_postgresql_keeps_microseconds_and_fills_them_in_for_plain_sql(
    project: Project, postgres_server: PostgresServer
) -> None:
    url = postgres_server.create_database()
    name = url.rpartition("/")[2]
    ok(project.python("-m", "alembic", "upgrade", "head", DATABASE_URL=url))
    (created, at_first), (kept, updated) = (
        map(datetime.fromisoformat, line.split())
        for line in ok(project.python("-c", USE, DATABASE_URL=url)).splitlines()
    )
    assert created == at_first == kept
    assert updated > at_first
    assert created.utcoffset() == updated.utcoffset() == timedelta(0)
    insert = "INSERT INTO users (id, email, name) VALUES (gen_random_uuid(), gen_random_uuid(), 'x')"
    postgres_server.sql("DELETE FROM users", name)
    for _ in range(3):  # once in a thousand, the microseconds of one are a whole millisecond
        postgres_server.sql(insert, name)
    exact = "SELECT bool_or(extract(microseconds FROM created_at)::int % 1000 <> 0) FROM users"
    assert postgres_server.sql(exact, name) == "t"
    same = "SELECT bool_and(created_at = updated_at) FROM users"
    assert postgres_server.sql(same, name) == "t"
    types = (
        "SELECT DISTINCT data_type, datetime_precision FROM information_schema.columns"
        " WHERE table_name = 'users' AND column_name IN ('created_at', 'updated_at')"
    )
    assert postgres_server.sql(types, name) == "timestamp with time zone|6"
