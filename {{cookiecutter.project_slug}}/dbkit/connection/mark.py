"""What tells this project's own development server from every other one."""

import hashlib
import os
import platform
import re
from typing import TYPE_CHECKING

from dbkit import PROJECT

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

STATE_FOLDER = PROJECT / ".database"  # what `make db-up` keeps; ignored by git
SECRET = STATE_FOLDER / "mark"


def project_mark() -> str | None:
    """The `cluster_name` of a server that this project's `make db-up` started.

    A host called localhost proves nothing, since it may be the end of a tunnel. A server's
    `cluster_name` can be read by every role and changed by nobody without a restart. The secret
    alone would travel with a copy of the folder: the path and the machine tell copies apart.

    Returns:
        At most 63 printable ASCII characters; None where `make db-up` has made no secret yet.
    """
    try:
        secret = SECRET.read_bytes()
    except OSError:
        return None
    if not secret:
        return None
    here = (os.fsencode(PROJECT), platform.node().encode())
    digest = hashlib.sha256(b"\0".join((secret, *here))).hexdigest()
    name = re.sub(r"[^a-z0-9]+", "-", PROJECT.name.lower())[:20].strip("-") or "project"
    return f"{name}-{digest[:32]}"


async def is_marked(connection: "AsyncConnection") -> bool:
    """Tell whether a connection leads to a server that carries the mark, wherever its URL leads."""
    mark = (await connection.exec_driver_sql("SHOW cluster_name")).scalar_one()
    return bool(mark) and mark == project_mark()
