"""The role of `DATABASE_URL` on a server of this project: it owns its database, and little else.

A superuser could read and write every file of the server's account, and run programs as it.
https://www.postgresql.org/docs/current/role-attributes.html
"""

import asyncio

from sqlalchemy.exc import DBAPIError

from dbkit.connection import DatabaseURL, connect
from dbkit.devserver.errors import DevServerError
from dbkit.errors import error_text


def set_login(database: DatabaseURL, admin: DatabaseURL) -> None:
    """Create the role of `database`, or give it the password of `database` if it is there.

    Raises:
        DevServerError: the server's reason.
    """
    try:
        asyncio.run(_set_login(database, admin.named("postgres")))
    except DBAPIError as error:  # such as a name that PostgreSQL keeps to itself
        raise DevServerError(
            f"the user of DATABASE_URL gets no login: {error_text(error)}"
        ) from None


async def _set_login(database: DatabaseURL, admin: DatabaseURL) -> None:
    async with connect(admin) as connection:
        # The server itself quotes the name and the password.
        statement = await connection.exec_driver_sql(
            "SELECT format(CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"
            " THEN 'ALTER ROLE %I LOGIN PASSWORD %L'"
            " ELSE 'CREATE ROLE %I LOGIN CREATEDB PASSWORD %L' END, $1::text, $2::text)",
            (database.url.username, database.url.password),
        )
        await connection.exec_driver_sql(statement.scalar_one())
