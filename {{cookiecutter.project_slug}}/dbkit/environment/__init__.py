"""What `alembic/env.py` runs, whoever called Alembic: make, its command line, or code.

The package alone reads `alembic.context`. It turns what the command has put there into one
`Request`, and hands that to whatever carries it out.
"""

import gc
import sys
from collections.abc import Callable, Mapping
from logging.config import fileConfig
from typing import Any

from alembic import context
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import MetaData

import dbkit.operations  # noqa: F401 - registers op.create_index_online and its like
from dbkit import PROJECT, signals
from dbkit.config import EnvironmentOptions, alembic_config
from dbkit.environment.arguments import check_arguments
from dbkit.environment.commands import carry_out
from dbkit.environment.reader import read_request
from dbkit.errors import DatabaseUnavailable, SettingsError, error_text, location_of
from dbkit.request import Kind
from dbkit.revisions import MigrationError, one_line

ONLY_OPTIONS = "only_options"  # the attribute of a `Config` for which nothing is to be done
_known_options: list[EnvironmentOptions] = []  # of this process, once `env.py` has run


def run(
    metadata: Callable[[], MetaData],
    *,
    naming_convention: Mapping[str, Any] | None = None,
    **configure: Any,
) -> None:
    """Do what the command asks for, on the configured database.

    `config.attributes["database"]` may hold a `DatabaseURL` to use instead.

    Args:
        metadata: returns the models' tables; called only by what compares or writes models.
        naming_convention: that of the models. Revisions name constraints by it, without a model:
            https://alembic.sqlalchemy.org/en/latest/naming.html
        configure: keywords of `EnvironmentContext.configure` that the service chooses:
            https://alembic.sqlalchemy.org/en/latest/api/runtime.html

    Raises:
        CommandError: one line, which Alembic prints behind `FAILED:`.
    """
    try:
        _run(metadata, naming_convention, configure)
    except CommandError as error:
        typed = context.config.cmd_opts
        if not getattr(typed, "sql", False) or getattr(typed, "raiseerr", False):
            raise
        # Alembic would print its line on stdout, which is likely to be a file of SQL.
        print(f"FAILED: {error}", file=sys.stderr)
        sys.exit(-1)  # as Alembic does


def _run(
    metadata: Callable[[], MetaData],
    naming_convention: Mapping[str, Any] | None,
    configure: Mapping[str, Any],
) -> None:
    check_arguments(metadata, configure)
    # Alembic takes the convention from the metadata that it is configured with.
    names = MetaData(naming_convention=naming_convention)
    options = EnvironmentOptions(metadata, {"target_metadata": names, **configure})
    _known_options[:] = [options]
    config = context.config
    if ONLY_OPTIONS in config.attributes:
        return
    environment, request = read_request()
    if config.cmd_opts is not None and config.config_file_name:  # started by hand, not by the app
        # Modules live as long as the command: collecting them again and again is a tenth of it.
        gc.freeze()
        signals.end_like_ctrl_c()
        if request.kind is not Kind.FILES_ONLY:
            fileConfig(config.config_file_name, disable_existing_loggers=False)
    try:
        with one_line(environment.script):
            carry_out(environment, request, options)
    except (DatabaseUnavailable, SettingsError) as error:
        raise CommandError(str(error)) from None
    except MigrationError as error:
        if config.cmd_opts is not None:  # for --raiseerr
            raise
        raise error from None  # code logs tracebacks, and the cause may show a row


def load_options() -> EnvironmentOptions:
    """Return what `alembic/env.py` says, without doing anything on a database.

    It runs at most once: another thread may be inside one of Alembic's commands, whose process-wide
    `context` a second environment would take away.

    Raises:
        CommandError: `env.py` cannot be run; names its line.
    """
    if not _known_options:
        config = alembic_config()
        config.attributes[ONLY_OPTIONS] = True
        directory = ScriptDirectory.from_config(config)
        try:
            with EnvironmentContext(config, directory):
                directory.run_env()
        except CommandError:
            raise
        except (Exception, SystemExit) as error:
            location = location_of(error, PROJECT / "alembic") or "env.py"
            raise CommandError(f"alembic/{location}: {error_text(error)}") from error
    check_has_run()
    return _known_options[0]


def check_has_run() -> None:
    """Raise `CommandError` if `alembic/env.py` has come to its end and has called nothing."""
    if not _known_options:
        raise CommandError("alembic/env.py does not call environment.run, so nothing was done")
