"""The superuser of a server that `make db-up` made. The role of `DATABASE_URL` is none."""

from dataclasses import replace

from dbkit.connection.failures import one_line_errors
from dbkit.connection.mark import STATE_FOLDER, project_mark
from dbkit.connection.server import connect
from dbkit.connection.url import DatabaseURL

ADMIN = "dbkit_admin"
ADMIN_PASSWORD = STATE_FOLDER / "admin"  # made by `make db-up`


class AdminUnavailable(Exception):
    """Nobody can be a superuser there. Its text is one line."""


def as_admin(database: DatabaseURL) -> DatabaseURL | None:
    """Return `database` with the superuser's login; None where `make db-up` has made none.

    Only a server that is known to be this project's may be given that password.
    """
    try:
        password = ADMIN_PASSWORD.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    url = database.url.set(username=ADMIN, password=password)
    return replace(database, url=url) if password else None


async def find_admin(database: DatabaseURL) -> DatabaseURL:
    """Return `database` with the login of its superuser.

    Raises:
        AdminUnavailable: the server is not this project's own, or has no superuser for us.
        DatabaseUnavailable: there is no connection.
    """
    if database.dialect == "sqlite":
        raise AdminUnavailable("SQLite has no superuser: leave out ADMIN=1")
    with one_line_errors(database):
        async with connect(database) as connection:
            result = await connection.exec_driver_sql(
                "SELECT current_setting('cluster_name') AS mark,"
                " current_setting('is_superuser') = 'on' AS is_superuser"
            )
            server = result.one()
    if not server.mark or server.mark != project_mark() or database.url.host is None:
        raise AdminUnavailable(
            f"the server at {database.server} was not started by 'make db-up' of this project, "
            "and ADMIN=1 is for its own server only"
        )
    if server.is_superuser:  # the data was made by an older db-up
        return database
    admin = as_admin(database)
    if admin is None:
        raise AdminUnavailable(f"{ADMIN_PASSWORD}, the superuser's password, is not there")
    return admin
