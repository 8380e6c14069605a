"""Dependencies as types: `async def read(session: SessionDep)`."""

from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.database import get_db_session, get_engine

SessionDep = Annotated[AsyncSession, Depends(get_db_session)]
EngineDep = Annotated[AsyncEngine, Depends(get_engine)]
