"""ETags of rows that have a `version`: an edit of a row that somebody else has changed is 412.

https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1
"""

from typing import Annotated, Protocol

from fastapi import Header, HTTPException, Response


class Versioned(Protocol):
    """A row whose `version` SQLAlchemy counts: `version_id_col` of its mapper."""

    version: int


IfMatch = Annotated[str | None, Header()]


def show_version(response: Response, row: Versioned) -> None:
    """Send the ETag of a row with the response."""
    response.headers["ETag"] = f'"{row.version}"'


def check_version(if_match: str | None, row: Versioned) -> None:
    """Refuse a request that was made for another version of a row.

    Raises:
        HTTPException: 412.
    """
    if if_match is None or if_match.strip() == "*":
        return
    # A proxy that compresses answers makes a weak tag of it, W/"1", which means the same row.
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in if_match.split(",")]
    if str(row.version) not in tags:
        raise HTTPException(412, "it was changed since it was read: read it again")
