"""Any `DATABASE_URL` → an async SQLAlchemy URL and arguments for its driver."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from dbkit import PROJECT
from dbkit.connection import libpq
from dbkit.connection.libpq_options import TARGET
from dbkit.errors import SettingsError

# https://www.sqlite.org/uri.html
SQLITE_URI_OPTIONS = {"uri", "mode", "cache", "immutable", "nolock", "vfs"}


class DatabaseURLError(SettingsError):
    """A database URL cannot be used. Its text is one line and shows no part of a password."""


@dataclass(frozen=True)
class DatabaseURL:
    """`url` names the database (its `str` masks the password); `connect_args` go to the driver."""

    url: URL
    connect_args: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def dialect(self) -> str:
        """`postgresql` or `sqlite`."""
        return self.url.get_backend_name()

    @property
    def name(self) -> str:
        """The database's name; for SQLite the path of its file, or `:memory:`."""
        return self.url.database or ""

    @property
    def name_to_type(self) -> str:
        """What `CONFIRM` has to say to mean this database: its name; of SQLite, its file's name."""
        return Path(self.name).name if self.dialect == "sqlite" else self.name

    @property
    def in_memory(self) -> bool:
        """Whether this is an SQLite database without a file."""
        return self.dialect == "sqlite" and (
            self.name == ":memory:" or self.url.query.get("mode") == "memory"
        )

    @property
    def server(self) -> str:
        """Where it is, for people: `host:port`, several with commas; the path of an SQLite file."""
        if self.dialect == "sqlite":
            return self.name
        hosts = self.connect_args.get("host") or [self.url.host or "localhost"]
        ports = self.connect_args.get("port") or [self.url.port or libpq.DEFAULT_PORT]
        return ",".join(f"{host}:{port}" for host, port in zip(hosts, ports, strict=True))

    @property
    def is_missing(self) -> bool:
        """Whether this is an SQLite file that is not there, and that connecting would make."""
        if self.dialect != "sqlite" or self.in_memory or self.url.query:
            return False
        return Path(self.name).parent.is_dir() and not Path(self.name).exists()

    def for_reading(self) -> "DatabaseURL":
        """Return this database, or an empty one in memory for a file that only writing may make."""
        in_memory = self.url.set(database="file::memory:", query={"uri": "true"})
        return replace(self, url=in_memory) if self.is_missing else self

    def named(self, name: str) -> "DatabaseURL":
        """Another database: its name on the same server, or the path of its file."""
        return replace(self, url=self.url.set(database=name))

    def on_primary(self) -> "DatabaseURL":
        """The same, on the primary where several servers are named and nothing says which."""
        is_told = TARGET in self.connect_args or "PGTARGETSESSIONATTRS" in os.environ
        if is_told or len(self.connect_args.get("host", [])) < 2:
            return self
        return replace(self, connect_args=self.connect_args | {TARGET: "primary"})


def parse_database_url(text: str) -> DatabaseURL:
    """Translate `postgresql://`, `postgres://`, `sqlite://`, each with or without `+driver`.

    Relative SQLite paths begin at the project's folder. PostgreSQL options are libpq's.

    Raises:
        DatabaseURLError: another database, or something that the drivers cannot honour.
    """
    scheme, separator, rest = text.strip().partition("://")
    backend, _, driver = scheme.partition("+")
    if separator and backend in ("postgresql", "postgres"):
        try:
            return DatabaseURL(*libpq.translate(rest))
        except ValueError as error:
            raise DatabaseURLError(str(error)) from None
    if separator and backend == "sqlite" and driver in ("", "aiosqlite", "pysqlite"):
        return _sqlite(rest)
    raise DatabaseURLError("begins with neither postgresql:// nor sqlite://")


def _sqlite(rest: str) -> DatabaseURL:
    try:
        url = make_url(f"sqlite+aiosqlite://{rest}")
    except (ArgumentError, ValueError):
        raise DatabaseURLError("not an SQLite URL; write sqlite:///file.db") from None
    if url.host or url.username:
        raise DatabaseURLError("an SQLite path follows three slashes: sqlite:///file.db")
    path = url.database or ":memory:"
    # Without both of these the driver leaves the options out, `mode=ro` too.
    is_uri = path.startswith("file:") and url.query.get("uri") == "true"
    for option in url.query:
        if not is_uri or option not in SQLITE_URI_OPTIONS:
            behind = " without file: and uri=true" if option in SQLITE_URI_OPTIONS else ""
            raise DatabaseURLError(f"SQLite has no option {option!r}{behind}")
    if not is_uri and path != ":memory:":
        path = str(PROJECT / path)
    elif is_uri and not path.startswith("file:/") and url.query.get("mode") != "memory":
        raise DatabaseURLError("write an absolute path behind file:")
    return DatabaseURL(url.set(database=path))
