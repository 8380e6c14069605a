"""Pages by key: `?limit=50&after=<id>`. Rows that come or go meanwhile shift none of them.

https://use-the-index-luke.com/no-offset
"""

from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import base

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


def select_fields(model: type[base.BaseModel], schema: type[BaseModel]) -> Select[Any]:
    """Select the columns that a schema shows, `id` among them.

    Many rows take half the time of as many objects of the model.
    """
    return select(*(getattr(model, name) for name in schema.model_fields))


async def read_page(
    session: AsyncSession, rows: Select[Any], wanted: PageQuery, request: Request
) -> dict[str, object]:
    """Return the page of `rows` that is wanted, for `response_model=Page[…]`.

    Args:
        rows: `select_fields` of a model, filtered as you like, or a `select` of the model where a
            schema shows more than columns; a key of version 7 is its order.
    """
    first = rows.column_descriptions[0]
    model = first["entity"]
    if wanted.after is not None:
        rows = rows.where(model.id > wanted.after)
    result = await session.execute(rows.order_by(model.id).limit(wanted.limit + 1))
    found: Sequence[Any] = result.scalars().all() if first["expr"] is model else result.all()
    items, link = found[: wanted.limit], None
    if len(found) > wanted.limit:
        url = request.url.include_query_params(limit=wanted.limit, after=items[-1].id)
        link = f"{url.path}?{url.query}"
    return {"items": items, "next": link}
