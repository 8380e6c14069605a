"""Where a server of our own keeps its data: in the project, if its user can get there."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from dbkit.connection.mark import HOME
from dbkit.connection.url import DatabaseURL
from dbkit.devserver import Failure, folder
from dbkit.devserver.account import Account, account_for
from dbkit.devserver.binaries import Binaries
from dbkit.devserver.folder import State


def data_folder(state: State) -> Path:
    """The folder of the data, whether it exists or not."""
    return Path(state.home or HOME) / "data"


def major_version(data: Path) -> int | None:
    """Which PostgreSQL the data belongs to; None if there is none yet."""
    if not _is_complete(data):
        return None
    said = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    return int(said) if said.isdecimal() else None


def choose(state: State) -> Account:
    """Settle where the data is, in `state`, and who its server runs as."""
    if state.home and not Path(state.home).is_dir():
        print(f"The data folder {state.home} is gone; a new, empty one is made", flush=True)
        state.home = None
    data = data_folder(state)
    account = account_for(data)
    if state.home is None and not data.exists() and not account.can_work_in(HOME):
        home = folder.elsewhere()
        home.mkdir(mode=0o700)
        account.give(home)
        state.home = str(home)
        print(f"PostgreSQL's user cannot work in {HOME}; the data goes to {home}", flush=True)
    return account


def initialise(data: Path, binaries: Binaries, account: Account, database: DatabaseURL) -> None:
    """Make the data folder, if there is none.

    It gets its name when it is complete, so that one half made is seen, and made again.

    Raises:
        Failure: what `initdb` says.
    """
    if _is_complete(data):
        return
    if data.exists():  # not of our making: perhaps somebody can still save something
        aside = _free_name(data)
        data.rename(aside)
        print(f"{data} holds no complete database; it is now {aside.name}", flush=True)
    unfinished = data.with_name("data.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    account.give(unfinished)
    with _password_file(database, account) as password_file:
        said = account.run(
            binaries.bindir / "initdb",
            f"--pgdata={unfinished}",
            f"--username={database.url.username}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            # The same order of texts on every machine and in each of the three ways.
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        )
    if said.returncode != 0:
        lines = [line for line in said.stderr.splitlines() if re.search("error:|FATAL:", line)] or [
            "no reason"
        ]
        raise Failure(f"no data folder could be made: {lines[-1].removeprefix('initdb: ')}")
    unfinished.rename(data)


def _is_complete(data: Path) -> bool:
    return (data / "PG_VERSION").is_file() and (data / "global" / "pg_control").is_file()


def _free_name(data: Path) -> Path:
    number = 1
    while data.with_name(f"data.incomplete-{number}").exists():
        number += 1
    return data.with_name(f"data.incomplete-{number}")


@contextmanager
def _password_file(database: DatabaseURL, account: Account) -> Iterator[str]:
    """Arguments of processes can be read by everybody; this file by the account alone."""
    place = None if account.uid is None else folder.ELSEWHERE
    with NamedTemporaryFile("w", encoding="utf-8", dir=place) as file:
        file.write(f"{database.url.password}\n")
        file.flush()
        account.give(Path(file.name))
        yield file.name
