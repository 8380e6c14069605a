"""What the revisions have built and what the models say, as pictures of two real databases."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Constraint, Dialect, Index

from dbkit.autogenerate.models_database import rebuild
from dbkit.autogenerate.own_filters import is_included
from dbkit.autogenerate.scope import Scope
from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL, connect, throwaway_database
from dbkit.history import TABLE as HISTORY_TABLE
from dbkit.schema import Difference, Facets, Picture, SchemaObject, differences, read

PICTURES = "pictures"  # the option of `configure` that holds them
# Keywords of `configure`, and the properties that they decide.
DECIDED = {"compare_type": {"type", "collation"}, "compare_server_default": {"default"}}


@dataclass(frozen=True)
class TwoPictures:
    """What is compared.

    Args:
        scope: what models can describe.
        found: that part of what a database holds.
        wanted: what the models say.
        dialect: that of the databases.
        decided: properties of columns that functions of the service's compare.
    """

    scope: Scope
    found: Picture
    wanted: Picture
    dialect: Dialect
    decided: frozenset[str] = frozenset()

    def differences(self, after: Picture | None = None) -> list[Difference]:
        """Return each object that differs, as far as the service's own filters want it compared.

        Args:
            after: what a database holds now, instead of what was found there.
        """
        found = self.found if after is None else self.scope.described(after, self.wanted)
        return [one for one in differences(found, self.wanted) if self._counts(one)]

    def _counts(self, difference: Difference) -> bool:
        if difference.second is None and difference.key.startswith("sequence of "):
            return False  # it is left over from a serial column, and harms nobody
        is_column = difference.key.startswith("column ")
        if is_column and difference.facets and self.decided >= {*difference.facets}:
            return False
        if difference.second is not None:
            return is_included(difference.second, self.scope, is_in_models=True)
        assert difference.first is not None  # noqa: S101 - for the type checker
        return is_included(difference.first, self.scope, is_in_models=False)

    def definitions(
        self, kind: str, schema: str | None, *names: str
    ) -> tuple[Facets | None, Facets | None]:
        """Return what both say of an object; None where it is not there."""
        key = self.scope.key(kind, schema, *names)
        found, wanted = (by_key.get(key) for by_key in self._by_key)
        return found.definition if found else None, wanted.definition if wanted else None

    def checks(self, schema: str | None, table: str) -> tuple[dict[str, str], dict[str, str]]:
        """Return the definitions of a table's CHECKs in both, by name."""
        parent = self.scope.key("table", schema, table)
        found, wanted = (
            {
                key[-1].removeprefix(f"{table}."): str(one.definition["definition"])
                for key, one in by_key.items()
                if self.scope.key_of_parent(one) == parent
                and (one.kind == "check" or _is_check(one))
            }
            for by_key in self._by_key
        )
        return found, wanted

    @cached_property
    def _by_key(self) -> tuple[dict[tuple[str, ...], SchemaObject], ...]:
        return tuple(
            {self.scope.key_of(one): one for one in picture.objects.values()}
            for picture in (self.found, self.wanted)
        )


def _is_check(one: SchemaObject) -> bool:
    return one.kind == "constraint" and str(one.definition["definition"]).startswith("CHECK")


def final_name(item: Index | Constraint, dialect: Dialect) -> str | None:
    """Return the name that a constraint or index gets, by the convention and cut to length."""
    preparer = dialect.identifier_preparer
    quoted = preparer.format_constraint(item)
    return preparer.unformat_identifiers(quoted)[0] if quoted else None


async def take_pictures(
    built: DatabaseURL,
    home: DatabaseURL,
    keywords: Mapping[str, Any],
    options: EnvironmentOptions,
) -> TwoPictures:
    """Build what the models say beside what the revisions have built, and look at both.

    Args:
        built: a throwaway database that stands at the newest revisions; nobody is connected to it.
        home: where another one is made.
        keywords: those of `autogenerate_options`.

    Raises:
        CommandError: the database does not take what the models say.
        DatabaseUnavailable: no connection, or no right to create a database.
    """

    def look(connection: Connection) -> Scope:
        names = (options.version_table, HISTORY_TABLE)
        schema = connection.dialect.default_schema_name
        return Scope(
            keywords["target_metadata"],
            read(connection),
            {name: keywords[name] for name in ("include_name", "include_object")},
            schema if connection.dialect.name == "postgresql" else None,
            frozenset(names),
        )

    def rebuild_and_read(connection: Connection, scope: Scope) -> Picture:
        rebuild(connection, scope)
        return read(connection)

    async with connect(built, autocommit=False) as connection:
        scope = await connection.run_sync(look)
    async with (
        throwaway_database(home, copy_of=built) as copy,
        connect(copy, autocommit=False) as connection,
    ):
        picture = await connection.run_sync(rebuild_and_read, scope)
    decided = (facets for name, facets in DECIDED.items() if name in options.configure)
    return TwoPictures(
        scope,
        scope.described(scope.found, picture),
        scope.described(picture),
        connection.dialect,
        frozenset().union(*decided),
    )
