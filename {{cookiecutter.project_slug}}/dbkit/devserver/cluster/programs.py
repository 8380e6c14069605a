"""PostgreSQL's programs: a folder that holds them, checked before it is used."""

import re
from dataclasses import dataclass
from pathlib import Path

from dbkit.devserver.cluster.account import Account

OLDEST = 15
NEEDED = ("postgres", "initdb", "pg_ctl")


@dataclass(frozen=True)
class Programs:
    """A folder with `postgres`, `initdb` and `pg_ctl`, and the provider that it comes from."""

    provider: str
    bindir: Path
    major: int


def check_programs(
    provider: str, bindir: Path, account: Account, major: int | None
) -> Programs | None:
    """Return the programs in `bindir`, or None if they are of no use.

    Args:
        account: has to be able to run them.
        major: the version that they must have; if None, they have to be new enough.
    """
    if not all((bindir / program).is_file() for program in NEEDED):
        return None
    try:
        result = account.run_program(bindir / "postgres", "--version")
    except OSError:
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", result.stdout)
    if result.returncode != 0 or found is None:
        return None
    version = int(found[1])
    if version != major if major else version < OLDEST:
        return None
    return Programs(provider, bindir, version)
