"""PostgreSQL programs: what makes a folder of them usable, and where a machine keeps them."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dbkit.devserver.account import Account

OLDEST = 15
PROGRAMS = ("postgres", "initdb")
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


@dataclass(frozen=True)
class Binaries:
    """A folder with `postgres` and `initdb`, and which way they came."""

    way: str
    bindir: Path
    major: int


def usable(way: str, bindir: Path, account: Account, major: int | None) -> Binaries | None:
    """The programs in `bindir`, if `account` can run them and they are of `major` or new enough."""
    if not all((bindir / program).is_file() for program in PROGRAMS):
        return None
    try:
        said = account.run(bindir / "postgres", "--version")
    except OSError:
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", said.stdout)
    if said.returncode != 0 or found is None:
        return None
    version = int(found[1])
    if version != major if major else version < OLDEST:
        return None
    return Binaries(way, bindir, version)


def on_this_machine(account: Account, major: int | None) -> Binaries | None:
    """The first usable ones, `major` being that of the data there is."""
    candidates = dict.fromkeys(bindir.resolve() for bindir in _candidates())
    found = (usable("system", bindir, account, major) for bindir in candidates)
    return next(filter(None, found), None)


def _candidates() -> Iterator[Path]:
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    pg_config = shutil.which("pg_config")
    if pg_config:
        said = subprocess.run(
            [pg_config, "--bindir"], capture_output=True, text=True, errors="replace", check=False
        )
        yield Path(said.stdout.strip())
    for place in PLACES:
        yield from sorted(Path("/").glob(place), key=_numbers, reverse=True)


def _numbers(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]
