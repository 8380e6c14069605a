"""SQL for the indexes and extended statistics of a table. Others write to the table meanwhile.

https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
"""

from dbkit.schema.mending.change import (
    OF_THE_PARENT,
    Change,
    Kind,
    Statements,
    is_partitioned,
    last_part,
)


def _concurrently(change: Change) -> str:
    return "" if is_partitioned(change) else "CONCURRENTLY "


def _goes_over(change: Change) -> bool:
    """True where the table becomes a partition, or none any more: its indexes stay meanwhile."""
    key = change.parent.key
    tables = change.expected.objects.get(key), change.found.objects.get(key)
    return len({"bound" in table.definition for table in tables if table}) == 2


def _create_index(change: Change) -> Statements:
    definition = change.wanted("definition")
    if change.parent.kind == "constraint" and change.difference.second is None:
        return []  # it comes with its constraint
    if definition == OF_THE_PARENT or change.parent.kind == "constraint" or _goes_over(change):
        return None
    definition = definition.replace(" ON ONLY ", " ON ", 1)
    created = definition.replace("INDEX ", f"INDEX {_concurrently(change)}", 1)
    return [f"{created};"]


def _drop_index(change: Change) -> Statements:
    if change.had("definition") == OF_THE_PARENT or change.parent.kind == "constraint":
        return None
    if _goes_over(change):
        return None
    return [f"DROP INDEX {_concurrently(change)}{change.one.name};"]


def _reindex(change: Change) -> Statements:
    return None if change.wanted("invalid") else [f"REINDEX INDEX CONCURRENTLY {change.one.name};"]


def _table_of_index(change: Change) -> str:
    """Return the name of its table, which may be the parent of its constraint."""
    parent = change.parent
    if parent.kind != "constraint":
        return parent.name
    objects = (
        change.found.objects if parent.key in change.found.objects else change.expected.objects
    )
    return objects[parent.parent or ""].name


def _cluster(change: Change) -> Statements:
    name = last_part(change.one.name)
    clause = f"CLUSTER ON {name}" if change.wanted("clustered") else "SET WITHOUT CLUSTER"
    return [f"ALTER TABLE {_table_of_index(change)} {clause};"]


def _replica_identity(change: Change) -> Statements:
    if not change.wanted("replica identity"):
        return []  # its table says which it is
    name = last_part(change.one.name)
    return [f"ALTER TABLE {_table_of_index(change)} REPLICA IDENTITY USING INDEX {name};"]


def _index_statistics(change: Change) -> Statements:
    wanted = dict(change.wanted("statistics") or ())
    columns = {**dict.fromkeys(dict(change.had("statistics") or ()), -1), **wanted}
    return [
        f"ALTER INDEX {change.one.name} ALTER COLUMN {number} SET STATISTICS {target};"
        for number, target in columns.items()
    ]


def _target(change: Change) -> Statements:
    wanted = change.wanted("target")
    number = -1 if wanted is None else wanted
    return [f"ALTER STATISTICS {change.one.name} SET STATISTICS {number};"]


DEFINITION = frozenset({"definition"})
KINDS = {
    "index": Kind(
        create=_create_index,
        covered=DEFINITION,
        drop=_drop_index,
        alter={
            "invalid": _reindex,
            "clustered": _cluster,
            "replica identity": _replica_identity,
            "statistics": _index_statistics,
        },
    ),
    "statistics": Kind(
        create=lambda c: [f"{c.wanted('definition')};"],
        covered=DEFINITION,
        drop=lambda c: [f"DROP STATISTICS {c.one.name};"],
        alter={"target": _target},
    ),
}
