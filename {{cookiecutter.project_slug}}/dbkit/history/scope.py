"""What of a database the revisions decide: not the kit's own tables, and not `leave_alone`."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from dbkit.config import EnvironmentOptions, alembic_config
from dbkit.history.table import TABLE
from dbkit.schema import Picture, SchemaObject, fingerprint, short_hash, words_of


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
        patterns = alembic_config().get_main_option("leave_alone") or ""
        return cls(options.version_table, options.version_table_schema, tuple(patterns.split()))

    def filter(self, picture: Picture) -> Picture:
        """Return the picture without what is left out."""
        return picture.without(self._is_left_out)

    def fingerprint(self, picture: Picture) -> str:
        """Return the hash of what is in the picture, behind what the hash depends on.

        Two fingerprints can be compared if they have the same text before the last space.
        """
        left_out = short_hash([self.version_table, self.version_table_schema, *self.patterns])
        return f"{words_of(picture)} {left_out} {fingerprint(self.filter(picture))}"

    def _is_left_out(self, one: SchemaObject) -> bool:
        """True for Alembic's table and the history, and for names that `leave_alone` has.

        An object has its name with and without the schema and the table, and the name of its
        schema; a function has them without its arguments, too. A column always has its table's
        name before it.
        """
        if one.kind == "schema" and one.name.strip('"') == self.version_table_schema:
            return True
        full = one.name.partition("(")[0]
        *prefixes, name = (part.strip('"') for part in full.split("."))
        if one.kind == "table" and name in (self.version_table, TABLE):
            return True
        names = {one.name, full, name, *prefixes[:1]}
        if one.kind == "column":  # of other tables may be called the same
            names = {full, ".".join([*prefixes[-1:], name])}
        return any(fnmatchcase(name, pattern) for name in names for pattern in self.patterns)
