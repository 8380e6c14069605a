"""Constraints that have another name: a rename keeps what needs them, and reads no row.

https://www.postgresql.org/docs/current/sql-altertable.html
"""

from collections.abc import Iterable

from dbkit.schema.difference import Difference
from dbkit.schema.mending.change import OF_THE_PARENT, Change, holder
from dbkit.schema.mending.mend import Mend
from dbkit.schema.picture import Picture, SchemaObject


def rename_constraints(
    differences: Iterable[Difference], expected: Picture, found: Picture
) -> dict[str, Mend]:
    """Return the mends of constraints that are there under another name, and of those names.

    Args:
        differences: of the two pictures.
        expected: of the database as it should be.
        found: of the database as it is.
    """
    missing, extra = [], []
    for each in differences:
        if each.key.startswith("constraint "):
            missing += [each.first] if each.first and each.second is None else []
            extra += [each.second] if each.second and each.first is None else []
    renames = {}
    for one in missing:
        same = [other for other in extra if _is_same(one, other)]
        if len(same) == 1 and sum(_is_same(each, same[0]) for each in missing) == 1:
            new, old = (Change(Difference(each, None), expected, found) for each in (one, same[0]))
            renames[one.key] = Mend(
                (f"ALTER {holder(new)} RENAME CONSTRAINT {old.own_name} TO {new.own_name};",)
            )
            renames[same[0].key] = Mend(instead=f"it becomes {one.key}")
    return renames


def _is_same(one: SchemaObject, other: SchemaObject) -> bool:
    definition = one.definition
    return (
        (one.parent, definition) == (other.parent, other.definition)
        and definition["definition"] != OF_THE_PARENT
        and not definition.get("inherited")
    )
