"""Ends an identity before its column gets a type that has none, such as text; and a default, back.

SQL makes what is missing in the end (`mends`), and lets an identity go on counting.
https://www.postgresql.org/docs/current/sql-altertable.html
"""

from alembic.operations import ops

from dbkit.autogenerate.statements import Statement
from dbkit.autogenerate.two_pictures import TwoPictures
from dbkit.schema import SchemaObject
from dbkit.schema.mending.numbered import OWN


def end_identities(
    upgrade: ops.UpgradeOps, downgrade: ops.DowngradeOps, pictures: TwoPictures
) -> None:
    """Put statements before all others of the upgrade, and of the downgrade."""
    for one in pictures.differences():
        if one.first is None or one.second is None or not {"identity", "type"} <= {*one.facets}:
            continue
        if ("identity" in one.first.definition) != ("identity" in one.second.definition):
            upgrade.ops[:0] = _end(one.first)
            downgrade.ops[:0] = _end(one.second)


def _end(one: SchemaObject) -> list[ops.MigrateOperation]:
    default = str(one.definition.get("default", OWN))
    clause = "DROP IDENTITY IF EXISTS" if "identity" in one.definition else "DROP DEFAULT"
    if clause == "DROP DEFAULT" and OWN in default:  # `mends` knows its sequence
        return []
    table = (one.parent or "").removeprefix("table ")
    column = one.name.removeprefix(f"{table}.")
    return [Statement(f"ALTER TABLE {table} ALTER COLUMN {column} {clause}", "")]
