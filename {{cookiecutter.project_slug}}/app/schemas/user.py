"""The example to copy: what a client sends and gets."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.schemas.base import Schema, Text, left_out

# Whether an address exists, only a message to it can tell.
Email = Annotated[str, Field(pattern=r"^[^@\s\x00]+@[^@\s\x00]+$", max_length=320)]
Name = Annotated[Text, Field(min_length=1, max_length=200)]


class UserCreate(Schema):
    """A new user."""

    email: Email
    name: Name
    is_active: bool = True


class UserUpdate(Schema):
    """The fields to change; one that is left out stays as it is, and none can be null."""

    email: Email = Field(default_factory=left_out)
    name: Name = Field(default_factory=left_out)
    is_active: bool = Field(default_factory=left_out)


class UserRead(Schema):
    """A user as it is stored."""

    id: UUID
    email: str
    name: str
    is_active: bool
    created_at: datetime
    updated_at: datetime
