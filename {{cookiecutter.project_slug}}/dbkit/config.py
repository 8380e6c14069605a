"""What configures Alembic here: `alembic.ini`, and the arguments of `alembic/env.py`."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, Any

from dbkit import PROJECT

if TYPE_CHECKING:  # whoever only wants the options need not wait for Alembic
    from alembic.config import Config
    from sqlalchemy import MetaData

CONFIRM_STAMP = "confirm_stamp"  # that of one whose stamps want CONFIRM where they are not true
DATABASE = "database"  # the attribute of a `Config` that names another database than the settings


@dataclass(frozen=True)
class EnvironmentOptions:
    """What the service's `alembic/env.py` says.

    Args:
        metadata: returns the models' tables. It is called only by what compares or writes models,
            because importing them takes most of the time of a command.
        configure: keywords of Alembic's `EnvironmentContext.configure`, for the service to choose:
            https://alembic.sqlalchemy.org/en/latest/api/runtime.html
    """

    metadata: Callable[[], "MetaData"]
    configure: Mapping[str, Any] = field(default_factory=dict)

    @property
    def version_table(self) -> str:
        """Alembic's table of applied revisions."""
        return str(self.configure.get("version_table") or "alembic_version")

    @property
    def version_table_schema(self) -> str | None:
        """The schema of that table; None for the first one of the search path."""
        return self.configure.get("version_table_schema")


def alembic_config(database: object = None) -> "Config":
    """Return a configuration for `alembic.command` that prints nothing.

    Args:
        database: a `DatabaseURL`, or None for the configured one. It travels as an attribute,
            because options of `Config` are interpolated: a `%` in a password would break them.
    """
    from alembic.config import Config

    config = Config(PROJECT / "alembic.ini", stdout=StringIO())
    escape_folder(config)
    config.attributes[DATABASE] = database
    return config


def escape_folder(config: "Config") -> None:
    """Let the project's folder have a `%` in its name, which `%(here)s` of alembic.ini stands for.

    Alembic hands the name to `ConfigParser` as it is, which takes that sign for its own:
    https://docs.python.org/3/library/configparser.html#interpolation-of-values
    """
    parser = config.file_config
    parser.set(parser.default_section, "here", parser.defaults()["here"].replace("%", "%%"))


def left_alone(config: "Config") -> Callable[..., bool]:
    """Return a function that tells whether `leave_alone` of alembic.ini has one of its names."""
    return matching(leave_alone(config))


def leave_alone(config: "Config") -> tuple[str, ...]:
    """Return the patterns of `leave_alone` in alembic.ini."""
    return tuple((config.get_main_option("leave_alone") or "").split())


def matching(patterns: tuple[str, ...]) -> Callable[..., bool]:
    """Return a function that tells whether one of its names matches one of the patterns."""
    return lambda *names: any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


@cache
def service_version() -> str:
    """Return the service's version, from `pyproject.toml`."""
    return str(_project()["version"])


def service_name() -> str:
    """Return the service's name, from `pyproject.toml`."""
    return str(_project()["name"])


def _project() -> dict[str, Any]:
    pyproject = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    project: dict[str, Any] = pyproject["project"]
    return project
