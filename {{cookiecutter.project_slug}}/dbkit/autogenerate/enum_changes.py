"""The operations that autogenerate writes for enum types: `op.create_enum` and its like.

https://alembic.sqlalchemy.org/en/latest/api/autogenerate.html#autogenerating-custom-operation-directives
"""

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation


@dataclass
class EnumChange(MigrateOperation):
    """A change of an enum type. Its file is run, and never the change itself.

    Args:
        name: that of the type, without quotes.
        values: what it has afterwards; of a type that goes, what it had.
        schema: None for the default one.
    """

    name: str
    values: list[str]
    _: KW_ONLY
    schema: str | None = None

    @property
    def full_name(self) -> str:
        """The name as people read it."""
        return f"{self.schema}.{self.name}" if self.schema else self.name

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return what `alembic check` prints."""
        return (type(self).__name__, self.full_name, self.values)

    def calls(self) -> Iterator[str]:
        """Yield the statements of a revision, without `op.` and the schema."""
        yield f"create_enum({self.name!r}, {self.values!r}"


class CreateEnum(EnumChange):
    """A new type."""

    def reverse(self) -> MigrateOperation:
        return DropEnum(self.name, self.values, schema=self.schema)


class DropEnum(EnumChange):
    """A type that nothing uses any more."""

    def reverse(self) -> MigrateOperation:
        return CreateEnum(self.name, self.values, schema=self.schema)

    def calls(self) -> Iterator[str]:
        yield f"drop_enum({self.name!r}"


@dataclass
class ReplaceEnumValues(EnumChange):
    """Other values, which make a new type of it.

    Args:
        before: the values that it had.
    """

    before: list[str]

    def reverse(self) -> MigrateOperation:
        return ReplaceEnumValues(self.name, self.before, self.values, schema=self.schema)

    def calls(self) -> Iterator[str]:
        yield f"replace_enum_values({self.name!r}, {self.values!r}"


class ExtendEnum(ReplaceEnumValues):
    """New values among those that stay."""

    def calls(self) -> Iterator[str]:
        known = [*self.before]
        for number, value in enumerate(self.values):
            if value in self.before:
                continue
            place = f", after={self.values[number - 1]!r}" if number else f", before={known[0]!r}"
            yield f"extend_enum({self.name!r}, {value!r}{place if number < len(known) else ''}"
            known.insert(number, value)


@renderers.dispatch_for(EnumChange)
def _render(context: AutogenContext, change: EnumChange) -> list[str]:
    options: Mapping[str, Any] = context.opts
    prefix = options["alembic_module_prefix"] or ""
    schema = f", schema={change.schema!r}" if change.schema else ""
    return [f"{prefix}{call}{schema})" for call in change.calls()]
