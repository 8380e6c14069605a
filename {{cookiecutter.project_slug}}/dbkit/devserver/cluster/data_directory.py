"""The data directory: `initdb` makes it, and its files tell which PostgreSQL can read it."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from dbkit.connection import DatabaseURL
from dbkit.devserver.cluster.account import Account
from dbkit.devserver.cluster.programs import Programs
from dbkit.devserver.errors import DevServerError


def read_major_version(data: Path) -> int | None:
    """Return the PostgreSQL version that the data belongs to; None if there is no data."""
    if not _is_complete(data):
        return None
    text = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    return int(text) if text.isdecimal() else None


def create_data_directory(
    data: Path, programs: Programs, account: Account, admin: DatabaseURL
) -> None:
    """Make the data directory, if there is none, with `admin` as its superuser.

    It gets its name when it is complete, so that an unfinished one is recognised and made again.

    Raises:
        DevServerError: the reason that `initdb` gives.
    """
    if _is_complete(data):
        return
    # initdb hands the path of its own programs to a shell, protected by double quotes alone.
    if re.search(r'["$`\\]', str(programs.bindir)):
        raise DevServerError(
            f"initdb cannot run in {programs.bindir}, whose name means something to a shell: "
            "rename the folder, or use the PostgreSQL of this machine (DB_SERVER=system)"
        )
    if data.exists():  # somebody else made it, and may still want something in it
        aside = _find_free_name(data)
        data.rename(aside)
        print(f"{data} holds no complete database; it is now {aside.name}", flush=True)
    unfinished = data.with_name("data.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    account.take_ownership(unfinished)
    with _password_file(data.parent, admin, account) as password_file:
        result = account.run_program(
            programs.bindir / "initdb",
            f"--pgdata={unfinished}",
            f"--username={admin.url.username}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            # Texts sort the same way on every machine and with each provider.
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        )
    if result.returncode != 0:
        lines = result.stderr.splitlines()
        errors = [line for line in lines if re.search("error:|FATAL:", line)] or ["no reason given"]
        raise DevServerError(f"no data folder could be made: {errors[-1].removeprefix('initdb: ')}")
    unfinished.rename(data)


def _is_complete(data: Path) -> bool:
    return (data / "PG_VERSION").is_file() and (data / "global" / "pg_control").is_file()


def _find_free_name(data: Path) -> Path:
    number = 1
    while data.with_name(f"data.incomplete-{number}").exists():
        number += 1
    return data.with_name(f"data.incomplete-{number}")


@contextmanager
def _password_file(folder: Path, admin: DatabaseURL, account: Account) -> Iterator[str]:
    """Write a file that only the account can read; everybody can read a process's arguments."""
    with NamedTemporaryFile("w", encoding="utf-8", dir=folder) as file:
        file.write(f"{admin.url.password}\n")
        file.flush()
        account.take_ownership(Path(file.name))
        yield file.name
