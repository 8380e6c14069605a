"""Remembers that models and revisions agree: until one of them changes, nothing is compared again.

Both databases follow from what is hashed here: the revisions' from their key, which names the
template as well, and the models' from that one and from the statements of `create_all`.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from dbkit.autogenerate.script import creating
from dbkit.config import EnvironmentOptions, leave_alone
from dbkit.connection import DatabaseURL
from dbkit.connection.mark import STATE_FOLDER
from dbkit.throwaways import find_key

AGREED = STATE_FOLDER / "agreed"
KEPT = 20  # keys, one a line, the newest last: each branch of the code has its own


@dataclass(frozen=True)
class Agreement:
    """Whether models and revisions agree, as far as it is remembered.

    Args:
        key: names both; None where that cannot be done, and nothing is remembered.
    """

    key: str | None

    @property
    def is_known(self) -> bool:
        """Whether they were compared before, and were equal."""
        return self.key is not None and self.key in _read()

    def note(self) -> None:
        """Remember that they are equal."""
        if self.key is None or self.is_known:
            return
        with suppress(OSError):  # it only saves time
            AGREED.write_text("\n".join([*_read()[1 - KEPT :], self.key]), "utf-8")


async def find_agreement(
    home: DatabaseURL,
    options: EnvironmentOptions,
    script: ScriptDirectory,
    config: Config,
    models: MetaData,
) -> Agreement:
    """Name the revisions and the models, where templates are kept.

    A service with filters, functions or plug-ins of its own for comparing has no such names: what
    these answer may depend on anything.
    """
    own = options.configure
    if any(callable(each) for each in own.values()) or "autogenerate_plugins" in own:
        return Agreement(None)
    revisions = await find_key(home, options, script)
    if revisions is None:
        return Agreement(None)
    try:
        statements = sorted(creating(models, PGDialect_asyncpg()))  # type: ignore[no-untyped-call]
    except Exception:  # a listener of the service's asks a database
        return Agreement(None)
    parts = [revisions, statements, leave_alone(config), sorted(own.items())]
    text = json.dumps(parts, default=str)
    return Agreement(hashlib.sha256(text.encode()).hexdigest())


def _read() -> Sequence[str]:
    try:
        return AGREED.read_text("utf-8").split()
    except (OSError, UnicodeError):
        return ()
