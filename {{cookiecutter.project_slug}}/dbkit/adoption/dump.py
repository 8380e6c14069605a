"""The schema of a PostgreSQL database as SQL, from `pg_dump`."""

import os
import re
import subprocess
from collections.abc import Iterable

from alembic.util import CommandError

from dbkit.connection.shell import ShellUnavailable, client_command, find_clients

# https://www.postgresql.org/docs/current/app-pgdump.html
OPTIONS = (
    "--schema-only",
    "--encoding=UTF8",
    "--lock-wait-timeout=30s",
    "--no-owner",
    "--no-privileges",
    "--no-security-labels",
    "--no-tablespaces",
)


def dump_schema(url: str, version: int, left_out: Iterable[str]) -> str:
    """Return what `pg_dump` prints of a database.

    Args:
        url: of the database, as configured.
        version: the major version of its server.
        left_out: tables, as patterns of `--exclude-table`.

    Raises:
        CommandError: no `pg_dump`, or one that is too old; or it failed.
    """
    arguments = [*OPTIONS, *(f"--exclude-table={pattern}" for pattern in left_out)]
    command, variables = client_command(_find_program(version), arguments, url)
    result = subprocess.run(
        command,
        env=os.environ | {"PGCONNECT_TIMEOUT": "10", "LC_MESSAGES": "C"} | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    if result.returncode != 0:
        lines = result.stderr.splitlines()
        said = next((line for line in lines if "error:" in line), "") or "".join(lines[-1:])
        raise CommandError(f"{said or 'pg_dump failed'}; nothing was changed")
    return result.stdout


def _find_program(version: int) -> str:
    """Return a `pg_dump` that is not older than the server."""
    try:
        paths = find_clients("pg_dump")
    except ShellUnavailable as error:
        raise CommandError(f"{error}, of version {version} or later") from None
    versions = {_version(path): path for path in reversed(paths)}
    if max(versions) < version:
        raise CommandError(
            f"pg_dump {max(versions)} is older than the server, which is PostgreSQL {version}: "
            f"install the client of version {version} or later"
        )
    return versions[max(versions)]


def _version(path: str) -> int:
    """Return the major version of a program; 0 if it does not run."""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, encoding="utf-8").stdout
    except OSError:
        return 0
    found = re.search(r"\(PostgreSQL\) (\d+)", said)
    return int(found[1]) if found else 0
