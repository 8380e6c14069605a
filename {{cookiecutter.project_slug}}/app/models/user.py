"""The example to copy."""

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import BaseModel


class User(BaseModel):
    """Somebody who uses the service."""

    # Lists active users, the newest first or last, without sorting.
    __table_args__ = (Index(None, "is_active", "created_at"),)

    email: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    is_active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    # SQLAlchemy counts it up, and refuses an UPDATE of a row that was changed meanwhile:
    # https://docs.sqlalchemy.org/en/21/orm/versioning.html
    version: Mapped[int] = mapped_column(server_default=text("1"))

    __mapper_args__ = {**BaseModel.__mapper_args__, "version_id_col": version}
