"""SQL for the constraints, indexes and statistics of a table.

https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES: a foreign key or
CHECK is added as NOT VALID and validated afterwards, which lets others write meanwhile.
"""

import re

from dbkit.schema.mending.change import Change, Kind, Statements

OF_THE_PARENT = "that of the parent"  # of a partition, which gets and loses it with its parent
NOT_VALID = " NOT VALID"
REFERENCES = re.compile(r"FOREIGN KEY \(.*?\) REFERENCES (?P<table>.*?)\(")


def _holder(change: Change) -> str:
    return f"{'DOMAIN' if change.parent.kind == 'type' else 'TABLE'} {change.parent.name}"


def _add_constraint(change: Change) -> Statements:
    """Add it; in place of the one of its name, if there is one."""
    definition = change.wanted("definition")
    if definition == OF_THE_PARENT or change.wanted("inherited"):
        return None
    begin = f"ALTER {_holder(change)}"
    validate = f"{begin} VALIDATE CONSTRAINT {change.own_name};"
    had = change.had("definition")
    if had == definition + NOT_VALID:
        return [validate]
    is_long = change.parent.kind == "table" and definition.startswith(("CHECK", "FOREIGN KEY"))
    later = is_long and not _is_partitioned(change) and not definition.endswith(NOT_VALID)
    add = f"ADD CONSTRAINT {change.own_name} {definition}{NOT_VALID if later else ''}"
    drop = f"DROP CONSTRAINT {change.own_name}"
    if had is None:
        statements = [f"{begin} {add};"]
    elif change.parent.kind == "type":  # which takes one clause at a time
        statements = [f"{begin} {drop};", f"{begin} {add};"]
    else:
        statements = [f"{begin} {drop}, {add};"]
    return statements + ([validate] if later else [])


def _drop_constraint(change: Change) -> Statements:
    if change.had("definition") == OF_THE_PARENT or change.had("inherited"):
        return None
    return [f"ALTER {_holder(change)} DROP CONSTRAINT {change.own_name};"]


def _is_partitioned(change: Change) -> bool:
    return change.parent.definition.get("partitioned") is not None


def _validated(change: Change) -> Statements:
    """The words NOT VALID are a part of the definition, too."""
    return [] if "definition" in change.difference.facets else None


def _enable(change: Change) -> Statements:
    """Enable the triggers of a foreign key, on both tables, unless others are meant to be off."""
    found = REFERENCES.match(change.one.definition["definition"])
    if change.wanted("disabled") or found is None:
        return None
    tables = dict.fromkeys([change.parent.name, found["table"]])
    keys = {f"table {table}" for table in tables}
    triggers = (one for one in change.expected.objects.values() if one.parent in keys)
    if any(one.kind == "trigger" and "fires" in one.definition for one in triggers):
        return None
    return [f"ALTER TABLE {table} ENABLE TRIGGER ALL;" for table in tables]


def _concurrently(change: Change) -> str:
    return "" if _is_partitioned(change) else "CONCURRENTLY "


def _create_index(change: Change) -> Statements:
    definition = change.wanted("definition")
    if change.parent.kind == "constraint" and change.difference.second is None:
        return []  # it comes with its constraint
    if definition == OF_THE_PARENT or change.parent.kind == "constraint":
        return None
    definition = definition.replace(" ON ONLY ", " ON ", 1)
    created = definition.replace("INDEX ", f"INDEX {_concurrently(change)}", 1)
    return [f"{created};"]


def _drop_index(change: Change) -> Statements:
    if change.had("definition") == OF_THE_PARENT or change.parent.kind == "constraint":
        return None
    table = change.expected.objects.get(change.parent.key)
    if table and table.definition.get("bound") and not change.parent.definition.get("bound"):
        return None  # the table becomes a partition again, and this an index of its parent's
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
    name = change.one.name.rpartition(".")[2]
    clause = f"CLUSTER ON {name}" if change.wanted("clustered") else "SET WITHOUT CLUSTER"
    return [f"ALTER TABLE {_table_of_index(change)} {clause};"]


def _replica_identity(change: Change) -> Statements:
    if not change.wanted("replica identity"):
        return []  # its table says which it is
    name = change.one.name.rpartition(".")[2]
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
    "constraint": Kind(
        create=_add_constraint,
        covered=DEFINITION,
        drop=_drop_constraint,
        replace=_add_constraint,
        alter={"not validated": _validated, "disabled": _enable},
    ),
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
