"""Pages by key: `?limit=50&after=<id>`. Rows that come or go meanwhile shift none of them.

https://use-the-index-luke.com/no-offset
"""

from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import base

Row = TypeVar("Row", bound=base.BaseModel)
Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """Some rows, in the order in which they were created, and the link to those behind them."""

    items: list[Item]
    next: str | None = None


class PageQuery(BaseModel):
    """Which page: how many rows, and the id of the last one before it."""

    limit: int = Field(50, ge=1, le=200)
    after: UUID | None = None


Wanted = Annotated[PageQuery, Query()]


async def read_page(
    session: AsyncSession, rows: Select[Row], wanted: PageQuery, request: Request
) -> dict[str, object]:
    """Return the page of `rows` that is wanted, for `response_model=Page[…]`.

    Args:
        rows: a `select` of a model, filtered as you like; a key of version 7 is its order.
    """
    model = rows.column_descriptions[0]["entity"]
    if wanted.after is not None:
        rows = rows.where(model.id > wanted.after)
    found = (await session.scalars(rows.order_by(model.id).limit(wanted.limit + 1))).all()
    items, link = found[: wanted.limit], None
    if len(found) > wanted.limit:
        url = request.url.include_query_params(limit=wanted.limit, after=items[-1].id)
        link = f"{url.path}?{url.query}"
    return {"items": items, "next": link}
