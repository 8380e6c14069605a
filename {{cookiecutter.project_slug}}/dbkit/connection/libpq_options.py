"""libpq's options, and asyncpg's, as arguments for asyncpg.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
"""

import re
from typing import Any
from urllib.parse import quote, urlencode

CONNECT_TIMEOUT = 10.0  # seconds; libpq would wait for ever, asyncpg a minute

TARGET = "target_session_attrs"  # which of several servers is meant

# asyncpg gives these libpq's meaning when they stand in a DSN.
IN_DSN = {
    *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl", "sslnegotiation"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version"),
    *("application_name", "options", "passfile", "krbsrvname", "gsslib"),
}
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
TLS_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
VALUES = {
    "sslmode": SSL_MODES,
    "ssl": SSL_MODES,  # asyncpg's own name for it
    "sslnegotiation": ("postgres", "direct"),
    "ssl_min_protocol_version": TLS_VERSIONS,
    "ssl_max_protocol_version": TLS_VERSIONS,
    TARGET: (*("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),),
    "gsslib": ("gssapi", "sspi"),
    "gssencmode": ("disable", "prefer", "require"),
    "channel_binding": ("disable", "prefer", "require"),
}
# What asyncpg does anyway: it encrypts by TLS alone, and does not bind a password to the channel.
WITHOUT_EFFECT = {("gssencmode", "disable"), ("gssencmode", "prefer")} | {
    ("channel_binding", "disable"),
    ("channel_binding", "prefer"),
}
# libpq's, for which asyncpg has no counterpart.
OF_LIBPQ = {
    *("hostaddr", "service", "servicefile", "replication", "client_encoding", "requirepeer"),
    *("fallback_application_name", "keepalives", "keepalives_idle", "keepalives_interval"),
    *("keepalives_count", "tcp_user_timeout", "requiressl", "sslcompression", "sslcertmode"),
    *("sslcrldir", "sslsni", "gssencmode", "gssdelegation", "load_balance_hosts", "require_auth"),
    *("channel_binding", "sslkeylogfile", "min_protocol_version", "max_protocol_version"),
    *("scram_client_key", "scram_server_key", "oauth_issuer", "oauth_client_id", "oauth_scope"),
    "oauth_client_secret",
}
# Sizes of the two statement caches, asyncpg's and SQLAlchemy's: 0 behind a connection pooler.
CACHES = ("statement_cache_size", "prepared_statement_cache_size")


def _seconds(name: str, value: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", value, re.ASCII):
        raise ValueError(f"{name} is a number of seconds")
    return float(value)


def driver_arguments(options: dict[str, str]) -> dict[str, Any]:
    """Return keyword arguments of `asyncpg.connect`.

    Raises:
        ValueError: names an option that asyncpg cannot honour, or the values that it takes.
    """
    arguments: dict[str, Any] = {"timeout": CONNECT_TIMEOUT}
    in_dsn: dict[str, str] = {}
    for name, value in options.items():
        if name in VALUES and value not in VALUES[name]:
            raise ValueError(f"{name} is one of {', '.join(VALUES[name])}")
        if (name, value) in WITHOUT_EFFECT:
            continue
        if name in ("sslmode", "ssl"):
            in_dsn["sslmode"] = value
        elif name == "sslrootcert" and value == "system":
            raise ValueError("sslrootcert=system: asyncpg wants the path of a certificate file")
        elif name in IN_DSN:
            in_dsn[name] = value
        elif name == TARGET:
            arguments[name] = value
        elif name in ("connect_timeout", *CACHES):
            if not (value.isascii() and value.isdigit()):
                raise ValueError(f"{name} is a whole number")
            if name in CACHES:
                arguments[name] = int(value)
            else:  # libpq's 0 waits for ever, as None does here
                arguments["timeout"] = float(value) or None
        elif name == "command_timeout":  # asyncpg's: seconds for each statement
            arguments[name] = _seconds(name, value)
        elif name == "channel_binding":
            raise ValueError(
                "asyncpg cannot bind the password to the channel: write channel_binding=prefer, "
                "and sslmode=verify-full, or somebody in between could pass for the server"
            )
        elif name in OF_LIBPQ:
            raise ValueError(f"asyncpg cannot honour the option {name!r}; take it out of the URL")
        else:
            raise ValueError(
                f"{name!r} is no option of a PostgreSQL URL; a setting of the server is written "
                "options=-c%20name%3Dvalue"
            )
    if in_dsn:
        arguments["dsn"] = "postgresql:///?" + urlencode(in_dsn, quote_via=quote)
    return arguments
