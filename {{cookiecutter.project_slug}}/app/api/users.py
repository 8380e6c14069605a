"""The example to copy: a resource, from its queries to its endpoints."""

from uuid import UUID

from fastapi import APIRouter, HTTPException, Request, Response

from app.api.dependencies import ReadSessionDep, SessionDep
from app.api.pages import Page, Wanted, read_page, select_fields
from app.api.problems import document
from app.api.versions import IfMatch, check_version, show_version
from app.models.user import User
from app.schemas.user import UserCreate, UserRead, UserUpdate

router = APIRouter(prefix="/users", tags=["users"])


async def find_user(session: SessionDep, user_id: UUID) -> User:
    """Return a user. Raises `HTTPException`: 404, there is none."""
    user = await session.get(User, user_id)
    if user is None:
        raise HTTPException(404, f"there is no user {user_id}")
    return user


@router.post("", status_code=201, response_model=UserRead, responses=document(409))
async def create_user(new: UserCreate, session: SessionDep, response: Response) -> User:
    """Create a user; an email address that another one has is a conflict."""
    user = User(**new.model_dump())
    session.add(user)
    await session.commit()
    response.headers["Location"] = f"/users/{user.id}"
    show_version(response, user)
    return user


@router.get("", response_model=Page[UserRead])
async def list_users(
    wanted: Wanted, session: ReadSessionDep, request: Request
) -> dict[str, object]:
    """List users, the oldest first. Where a replica is read, a new one may come a moment later."""
    return await read_page(session, select_fields(User, UserRead), wanted, request)


@router.get("/{user_id}", response_model=UserRead, responses=document(404))
async def read_user(user_id: UUID, session: SessionDep, response: Response) -> User:
    """Return a user, and its version as the ETag."""
    user = await find_user(session, user_id)
    show_version(response, user)
    return user


@router.patch("/{user_id}", response_model=UserRead, responses=document(404, 409, 412))
async def update_user(
    user_id: UUID,
    changes: UserUpdate,
    session: SessionDep,
    response: Response,
    if_match: IfMatch = None,
) -> User:
    """Change the fields that are sent; with `If-Match`, only if nobody changed it meanwhile."""
    user = await find_user(session, user_id)
    check_version(if_match, user)
    for name, value in changes.model_dump(exclude_unset=True).items():
        setattr(user, name, value)
    await session.commit()
    show_version(response, user)
    return user


@router.delete("/{user_id}", status_code=204, responses=document(404, 409, 412))
async def delete_user(user_id: UUID, session: SessionDep, if_match: IfMatch = None) -> None:
    """Delete a user."""
    user = await find_user(session, user_id)
    check_version(if_match, user)
    await session.delete(user)
    await session.commit()
