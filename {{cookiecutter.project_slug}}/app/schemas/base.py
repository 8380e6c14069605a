"""What every schema begins with."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

# PostgreSQL's text holds every character but this one:
# https://www.postgresql.org/docs/current/datatype-character.html
Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("it is out of range in UTC") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]  # with a time zone


class Schema(BaseModel):
    """A body: fields that it does not name are refused, so that a misspelled one is noticed."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


def left_out() -> Any:
    """Stand for a field that the client did not send, as `default_factory`; it is never stored."""
    return None
