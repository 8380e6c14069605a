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
from sqlalchemy import MetaData
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from dbkit.config import EnvironmentOptions, leave_alone
from dbkit.connection.mark import STATE_FOLDER
from dbkit.metadata.script import creating
from dbkit.throwaways import Stock

NO_CHANGES = "No changes: the models and the revisions agree. 'make migration-empty' writes a file."
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


def find_agreement(
    stock: Stock | None, options: EnvironmentOptions, config: Config, models: MetaData
) -> Agreement:
    """Name the revisions and the models, where templates are kept.

    A service with filters, functions or plug-ins of its own for comparing has no such names: what
    these answer may depend on anything.

    Args:
        stock: that of all revisions; None where no templates are kept.
    """
    own = options.configure
    if any(callable(each) for each in own.values()) or "autogenerate_plugins" in own:
        return Agreement(None)
    if stock is None or stock.key is None:
        return Agreement(None)
    try:
        statements = sorted(creating(models, PGDialect_asyncpg()))  # type: ignore[no-untyped-call]
    except Exception:  # a listener of the service's asks a database
        return Agreement(None)
    parts = [stock.key, statements, leave_alone(config), sorted(own.items())]
    text = json.dumps(parts, default=str)
    return Agreement(hashlib.sha256(text.encode()).hexdigest())


def _read() -> Sequence[str]:
    try:
        return AGREED.read_text("utf-8").split()
    except (OSError, UnicodeError):
        return ()
