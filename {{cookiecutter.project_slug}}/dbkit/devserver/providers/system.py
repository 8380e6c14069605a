"""PostgreSQL that is installed on this machine."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from dbkit.devserver.cluster import Account, Programs, check_programs

# Debian, Fedora, Homebrew (Apple, Intel, Linux), Postgres.app, source.
PLACES = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
    "home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "Applications/Postgres.app/Contents/Versions/*/bin",
    "usr/local/pgsql/bin",
)


def find_installed(account: Account, major: int | None) -> Programs | None:
    """Return the first usable programs, of version `major` if there is data already."""
    candidates = dict.fromkeys(bindir.resolve() for bindir in _candidates())
    found = (check_programs("system", bindir, account, major) for bindir in candidates)
    return next(filter(None, found), None)


def _candidates() -> Iterator[Path]:
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    pg_config = shutil.which("pg_config")
    if pg_config:
        result = subprocess.run(
            [pg_config, "--bindir"], capture_output=True, text=True, errors="replace", check=False
        )
        yield Path(result.stdout.strip())
    for place in PLACES:
        yield from sorted(Path("/").glob(place), key=_version, reverse=True)


def _version(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]
