"""What of a database the revisions decide: not the kit's own tables, and not `leave_alone`."""

from dataclasses import dataclass

from dbkit.config import EnvironmentOptions, alembic_config, leave_alone, matching
from dbkit.history.table import TABLE
from dbkit.schema import Picture, SchemaObject, fingerprint, names_in, short_hash, words_of


@dataclass(frozen=True)
class Scope:
    """What is left out of a picture.

    Args:
        version_table: Alembic's table.
        version_table_schema: the schema of that table, if it has one of its own.
        patterns: those of `leave_alone`.
    """

    version_table: str
    version_table_schema: str | None
    patterns: tuple[str, ...]

    @classmethod
    def of(cls, options: EnvironmentOptions) -> "Scope":
        """Return that of a service."""
        patterns = leave_alone(alembic_config())
        return cls(options.version_table, options.version_table_schema, patterns)

    def filter(self, picture: Picture) -> Picture:
        """Return the picture without Alembic's table, the history and what `leave_alone` names."""
        is_named = matching(self.patterns)

        def is_left_out(one: SchemaObject) -> bool:
            if one.kind == "schema" and one.name.strip('"') == self.version_table_schema:
                return True
            if one.kind == "table" and self._is_own(_parts(one.name)):
                return True
            parents = _partitioned(one, picture)
            return is_named(*_names(one)) or any(is_left_out(parent) for parent in parents)

        return picture.without(is_left_out)

    def _is_own(self, parts: tuple[str, ...]) -> bool:
        """Tell whether a table is the history or Alembic's: a name alone may be that of another."""
        *schema, name = parts
        is_there = not schema or self.version_table_schema in (None, *schema)
        return name == TABLE or (name == self.version_table and is_there)

    def fingerprint(self, picture: Picture) -> str:
        """Return the hash of what is in the picture, behind what the hash depends on.

        Two fingerprints can be compared if they have the same text before the last space.
        """
        left_out = short_hash([self.version_table, self.version_table_schema, *self.patterns])
        return f"{words_of(picture)} {left_out} {fingerprint(self.filter(picture))}"


def _partitioned(one: SchemaObject, picture: Picture) -> list[SchemaObject]:
    """Return the table that this one is a partition of."""
    names = one.definition.get("inherits", ()) if "bound" in one.definition else ()
    keys = (f"table {name}" for name in names)
    return [picture.objects[key] for key in keys if key in picture.objects]


def _names(one: SchemaObject) -> set[str]:
    """Return the names by which `leave_alone` may name an object.

    With and without the schema and the table, and the name of its schema; a function's without its
    arguments, too. A column always has its table's name before it, and so has the sequence of a
    column, which has its own name besides.
    """
    full = one.name.partition("(")[0]
    *prefixes, name = _parts(full)
    with_table = ".".join([*prefixes[-1:], name])
    if one.kind == "column":  # of other tables may be called the same
        return {full, with_table}
    if one.kind == "sequence of":
        own = str(one.administration.get("name", full))
        return {full, with_table, own, _parts(own)[-1]}
    return {one.name, full, with_table, name, *prefixes[:1]}


def _parts(name: str) -> tuple[str, ...]:
    return names_in(name) or (name,)
