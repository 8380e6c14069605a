"""SQL for the constraints of a table or a domain.

https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES: a foreign key or
CHECK is added as NOT VALID and validated afterwards, which lets others write meanwhile.
"""

import re

from dbkit.schema.mending.change import (
    OF_THE_PARENT,
    Change,
    Kind,
    Statements,
    holder,
    is_partitioned,
)

NOT_VALID = " NOT VALID"
REFERENCES = re.compile(r"FOREIGN KEY \(.*?\) REFERENCES (?P<table>.*?)\(")


def _add_constraint(change: Change) -> Statements:
    """Add it; in place of the one of its name, if there is one."""
    definition = change.wanted("definition")
    if definition == OF_THE_PARENT or change.wanted("inherited"):
        return None
    begin = f"ALTER {holder(change)}"
    validate = f"{begin} VALIDATE CONSTRAINT {change.own_name};"
    had = change.had("definition")
    if had == definition + NOT_VALID:
        return [validate]
    is_long = change.parent.kind == "table" and definition.startswith(("CHECK", "FOREIGN KEY"))
    later = is_long and not is_partitioned(change) and not definition.endswith(NOT_VALID)
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
    return [f"ALTER {holder(change)} DROP CONSTRAINT {change.own_name};"]


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


KINDS = {
    "constraint": Kind(
        create=_add_constraint,
        covered=frozenset({"definition"}),
        drop=_drop_constraint,
        replace=_add_constraint,
        alter={"not validated": _validated, "disabled": _enable},
    ),
}
