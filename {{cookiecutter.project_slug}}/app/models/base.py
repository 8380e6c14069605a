"""What every model begins with."""

import sys
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, Dialect, MetaData, TypeDecorator, text
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    declared_attr,
    has_inherited_table,
    mapped_column,
)

from app.naming import NAMING_CONVENTION
from dbkit.table_names import table_name

if sys.version_info >= (3, 14):
    from uuid import uuid7 as uuid7  # for models that do not begin with BaseModel, too
else:
    from uuid_utils.compat import uuid7 as uuid7

# Unlike `func.now()`, autogenerate reads this back unchanged from both databases. It is the
# server's clock at the start of the transaction; SQLite's has whole seconds.
NOW = text("CURRENT_TIMESTAMP")


class UTCDateTime(TypeDecorator[datetime]):
    """A point in time: aware, in UTC, on both databases (SQLite alone would drop the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone; use datetime.now(UTC)")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """For models with a key of their own and for association tables: `Base.metadata`."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UTCDateTime}

    @declared_attr.directive
    @classmethod
    def __tablename__(cls) -> str | None:
        """Of the class's name, unless the class gives one or shares its parent's table."""
        return None if has_inherited_table(cls) else table_name(cls.__name__)


class BaseModel(Base):
    """`id` first, `created_at` and `updated_at` last. Copy `user.py` for a model of your own."""

    __abstract__ = True
    # The server fills and returns `updated_at` with the UPDATE itself: to load it later would be
    # I/O outside of an `await`. A model with `__mapper_args__` of its own repeats this one.
    __mapper_args__ = {"eager_defaults": True}

    # Version 7 begins with the time: new rows go to the end of the index. RFC 9562, section 5.7.
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-1000)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW, sort_order=1000)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW, onupdate=NOW, sort_order=1001)

    def __repr__(self) -> str:
        """Class and id; never another column, which could hold a secret, nor I/O to load one."""
        return f"<{type(self).__name__} {self.__dict__.get('id')}>"
