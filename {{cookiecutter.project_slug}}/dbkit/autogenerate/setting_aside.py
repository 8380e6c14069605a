"""Sets aside what the revisions have built of what models describe, on PostgreSQL."""

from itertools import count

from sqlalchemy import Connection
from sqlalchemy.schema import CreateSchema

from dbkit.autogenerate.scope import Scope
from dbkit.metadata import run_script


def set_aside(connection: Connection, scope: Scope) -> None:
    """Move objects out of their schemas: dropping them would drop views and functions, too."""
    objects = scope.found.objects.values()
    replaced = [
        *(("TABLE", one) for one in scope.replaced.values()),
        *(("TYPE", one) for one in scope.replaced_types.values()),
        *(("SEQUENCE", one) for one in objects if scope.key_of(one) in scope.sequences),
        *(("DOMAIN", one) for one in objects if scope.key_of(one) in scope.domains),
    ]
    schemas = dict.fromkeys(scope.key_of(one)[1] for _, one in replaced)
    taken = {scope.key_of(one)[1] for one in objects if one.kind == "schema"} | scope.schemas
    free = (name for name in map("set_aside_{}".format, count()) if name not in taken)
    aside = dict(zip(schemas, free, strict=False))
    for name in aside.values():
        connection.execute(CreateSchema(name))
    moves = [
        f"ALTER {kind} {one.name} SET SCHEMA {aside[scope.key_of(one)[1]]}"
        for kind, one in replaced
    ]
    if not run_script(connection, moves):
        for statement in moves:
            connection.exec_driver_sql(statement)
