"""Endpoints of a project in a test: right ones, and those with the mistakes that its tests should find."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from app.api.dependencies import SessionDep
from app.database import get_engine, get_session_factory
from app.models.user import User

Sessions = get_session_factory()  # as this module is imported, before any test
router = APIRouter()
running: set[asyncio.Task[None]] = set()


def default_name() -> str:
    """What an owner's test overrides."""
    return "Somebody"


NameDep = Annotated[str, Depends(default_name)]


@router.post("/people", status_code=201)
async def create(email: str, session: SessionDep, name: NameDep) -> None:
    session.add(User(email=email, name=name))
    try:
        await session.commit()
    except IntegrityError:
        raise HTTPException(409) from None


@router.get("/people")
async def read(session: SessionDep) -> list[str]:
    return list(await session.scalars(select(User.email).order_by(User.email)))


@router.post("/forgotten")
async def forgotten(email: str, session: SessionDep) -> None:
    session.add(User(email=email, name="Nobody"))
    await session.flush()


@router.post("/failing")
async def failing(email: str, session: SessionDep) -> None:
    session.add(User(email=email, name="Nobody"))
    await session.flush()
    raise HTTPException(418)


async def note(email: str) -> None:
    async with Sessions() as session:
        session.add(User(email=email, name="Background"))
        await session.commit()


@router.post("/background")
async def background(email: str, session: SessionDep, tasks: BackgroundTasks) -> None:
    await session.scalars(select(User))  # its transaction is open while the task runs
    tasks.add_task(note, email)


@router.post("/task")
async def task(email: str, session: SessionDep) -> None:
    await session.scalars(select(User))
    made = asyncio.create_task(note(email))
    running.add(made)
    made.add_done_callback(running.discard)


@router.post("/core")
async def core(email: str) -> None:
    async with get_engine().begin() as connection:
        await connection.execute(insert(User).values(email=email, name="Core"))


@router.post("/slow")
async def slow(email: str, session: SessionDep) -> None:
    session.add(User(email=email, name="Slow"))
    await session.flush()
    await asyncio.sleep(0.05)
    await session.execute(text("SELECT 1"))
    await session.commit()
