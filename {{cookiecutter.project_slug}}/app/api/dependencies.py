"""Dependencies as types: `async def read(session: SessionDep)`."""

from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.database import get_db_session, get_engine, get_read_session

SessionDep = Annotated[AsyncSession, Depends(get_db_session)]
# It reads alone, from a replica that may be a moment behind: not what a client has just written.
ReadSessionDep = Annotated[AsyncSession, Depends(get_read_session)]
EngineDep = Annotated[AsyncEngine, Depends(get_engine)]
