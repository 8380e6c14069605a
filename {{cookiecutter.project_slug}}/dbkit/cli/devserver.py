"""The commands for the development database server: `db-up` and `db-down`."""

import argparse
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def add_commands(commands: Any) -> None:
    """Add the commands to `commands`, which `ArgumentParser.add_subparsers` returned."""
    up = commands.add_parser(
        "db-up", help="start the development database (DB_SERVER=docker|system|wheel forces a way)"
    )
    up.set_defaults(run=start_database)
    down = commands.add_parser("db-down", help="stop the development database; the data stays")
    down.set_defaults(run=stop_database)


def start_database(_arguments: argparse.Namespace) -> str | None:
    """Run `db-up`; return the line of a failure, None for success."""
    return _run_command("up")


def stop_database(_arguments: argparse.Namespace) -> str | None:
    """Run `db-down`; return the line of a failure, None for success."""
    return _run_command("down")


def _run_command(name: str) -> str | None:
    from dbkit import devserver  # these imports take time, which `--help` does not need
    from dbkit.errors import DatabaseUnavailable, SettingsError

    try:
        for server in _servers():
            try:
                print(getattr(server, name)(), flush=True)
            except devserver.NothingToDo as note:
                print(note, flush=True)
    except (devserver.DevServerError, SettingsError, DatabaseUnavailable) as failure:
        return f"db-{name}: {failure}"
    except OSError as error:  # such as a full disk, or a folder that belongs to somebody else
        where = f"{error.filename}: " if error.filename else ""
        return f"db-{name}: {where}{error.strerror or error}"
    except KeyboardInterrupt:
        return f"db-{name}: interrupted; run it again"
    return None


def _servers() -> Iterator[ModuleType]:
    """Yield the modules with an `up` and a `down`: the database, and Redis where it is used."""
    yield import_module("dbkit.devserver")
    if find_spec("dbkit.devserver.redis"):
        yield import_module("dbkit.devserver.redis")
