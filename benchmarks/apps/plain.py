"""FastAPI with SQLAlchemy as their tutorials write it: no problems, no request id, no metrics, no limits."""

import os
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import DateTime, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+asyncpg:"))
new_session = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()
router = APIRouter(prefix="/users")


class Base(DeclarativeBase):
    """The tables."""


class User(Base):
    """A row of the table that the service has made."""

    __tablename__ = "users"
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012 - as SQLAlchemy writes it

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    email: Mapped[str]
    name: Mapped[str]
    is_active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class UserCreate(BaseModel):
    """A new user."""

    email: str
    name: str
    is_active: bool = True


class UserRead(BaseModel):
    """A user as it is stored."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    name: str
    is_active: bool
    created_at: datetime
    updated_at: datetime


class Users(BaseModel):
    """A page."""

    items: list[UserRead]
    next: str | None = None


async def get_session() -> AsyncIterator[AsyncSession]:
    """Yield a session for one request."""
    async with new_session() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]


@app.get("/health")
async def health() -> dict[str, str]:
    """Answer."""
    return {"status": "ok"}


@router.post("", status_code=201, response_model=UserRead)
async def create_user(new: UserCreate, session: Session) -> User:
    """Create a user."""
    user = User(**new.model_dump())
    session.add(user)
    await session.commit()
    return user


@router.get("", response_model=Users)
async def list_users(session: Session, limit: int = 50) -> dict[str, Any]:
    """List users."""
    found: Sequence[User] = (await session.scalars(select(User).order_by(User.id).limit(limit + 1))).all()
    return {"items": found[:limit], "next": f"/users?after={found[-1].id}"}


@router.get("/{user_id}", response_model=UserRead)
async def read_user(user_id: UUID, session: Session) -> User:
    """Return a user."""
    user = await session.get(User, user_id)
    if user is None:
        raise HTTPException(404)
    return user


app.include_router(router)
