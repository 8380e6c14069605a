"""What the health endpoints answer: the bodies, as the OpenAPI document shows them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"]


class Reachable(BaseModel):
    """The database answers."""

    status: Literal["ok"]
    dialect: str
    latency_ms: float


class Unavailable(BaseModel):
    """It does not, and why."""

    status: Literal["unavailable"]
    reason: str


class Pool(BaseModel):
    """Connections of the pool; `overflow` counts those above its size."""

    size: int
    checked_out: int
    overflow: int


class Database(BaseModel):
    """The database in detail: its round-trip time, or the reason why there is none."""

    status: Literal["ok", "unavailable"]
    dialect: str
    latency_ms: float | None = None
    reason: str | None = None


class Migrations(BaseModel):
    """Revisions in the database and in the code; `pending` is null where nobody can tell."""

    current: list[str]
    head: list[str]
    pending: int | None
    up_to_date: bool


class Beside(BaseModel):
    """A server beside the database: its round-trip time, or the reason why there is none."""

    status: Literal["ok", "unavailable"]
    latency_ms: float | None = None
    reason: str | None = None


class Details(BaseModel):
    """All that is known; `reason` says what is missing if the status is not `ok`.

    Servers beside the database stand there under their names, and do not change the status.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Beside] = Field(init=False)

    status: Literal["ok", "unavailable"]
    reason: str | None = None
    version: str
    environment: str
    database: Database
    migrations: Migrations
    pool: Pool
