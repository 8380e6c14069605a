"""Random changes of models, each of one kind. Those of tables, schemas and types are here."""

from collections.abc import Callable
from dataclasses import replace

from support.random_models.generate import COMMENTS, Generator
from support.random_models.models import Models
from support.random_models.pruning import pruned

Change = Callable[[Generator, Models], Models | None]
CHANGES: dict[str, Change] = {}
POSTGRESQL_ONLY: set[str] = set()


def kind(name: str, *, postgresql_only: bool = False) -> Callable[[Change], Change]:
    """Register a function that changes models, or returns None where it cannot."""

    def register(change: Change) -> Change:
        CHANGES[name] = change
        if postgresql_only:
            POSTGRESQL_ONLY.add(name)
        return change

    return register


def kinds_of_changes(*, is_postgresql: bool) -> list[str]:
    """Return the kinds of changes that a database can have."""
    return [name for name in CHANGES if is_postgresql or name not in POSTGRESQL_ONLY]


def changed(generator: Generator, models: Models, name: str) -> Models | None:
    """Return the models after a change of that kind; None where nothing in them can change so."""
    after = CHANGES[name](generator, models)
    after = None if after is None else pruned(after)
    return after if after is not None and after != models and after.tables else None


def any_change(generator: Generator, models: Models) -> tuple[str, Models]:
    """Return a kind of change that the models can have, and the models after it."""
    names = kinds_of_changes(is_postgresql=generator.is_postgresql)
    for name in generator.chance.sample(names, len(names)):
        if after := changed(generator, models, name):
            return name, after
    raise AssertionError("a column can always be added")


def other(generator: Generator, values: list[str], value: str | None) -> str | None:
    """Return another one of some values, or none."""
    return generator.chance.choice([each for each in (None, *values) if each != value])


@kind("add table")
def _add_table(generator: Generator, models: Models) -> Models:
    if generator.likely(0.3):
        models = replace(models, enums=(*models.enums, generator.enum()))
    table = generator.table(models)
    models = replace(models, tables=(*models.tables, table))
    return (generator.likely(0.5) and generator.with_foreign_key(models, table)) or models


@kind("drop table")
def _drop_table(generator: Generator, models: Models) -> Models:
    gone = generator.chance.choice(models.tables)
    return replace(models, tables=tuple(table for table in models.tables if table != gone))


@kind("new schema", postgresql_only=True)
def _new_schema(generator: Generator, models: Models) -> Models:
    table = generator.table(models, generator.chance.choice(("fresh", "New One")))
    return replace(models, tables=(*models.tables, table))


@kind("last table of a schema", postgresql_only=True)
def _drop_schema(generator: Generator, models: Models) -> Models | None:
    schemas = sorted({table.schema for table in models.tables if table.schema})
    if not schemas:
        return None
    gone = generator.chance.choice(schemas)
    return replace(models, tables=tuple(table for table in models.tables if table.schema != gone))


@kind("comment of a table", postgresql_only=True)
def _comment_table(generator: Generator, models: Models) -> Models:
    table = generator.chance.choice(models.tables)
    return models.with_table(replace(table, comment=other(generator, COMMENTS, table.comment)))


@kind("sequence", postgresql_only=True)
def _sequence(generator: Generator, models: Models) -> Models | None:
    if models.sequences:  # one that no model has any more stays: a revision may have made it
        return None
    return replace(models, sequences=(generator.sequence(),))


@kind("enum member at the end")
def _add_last_member(generator: Generator, models: Models) -> Models | None:
    return _add_member(generator, models, is_native=True, is_last=True)


@kind("enum member in the middle")
def _add_member_before(generator: Generator, models: Models) -> Models | None:
    return _add_member(generator, models, is_native=True, is_last=False)


@kind("member of an enum without a type")
def _add_value(generator: Generator, models: Models) -> Models | None:
    return _add_member(generator, models, is_native=False, is_last=generator.likely(0.5))


def _add_member(generator: Generator, models: Models, *, is_native: bool, is_last: bool) -> Models | None:
    found = [one for one in models.enums if ("native_enum" not in one.options) == is_native]
    if not found:
        return None
    enum = generator.chance.choice(found)
    place = len(enum.members) if is_last else generator.chance.randrange(len(enum.members))
    new = generator.chance.choice(("added", "it's too", "with a longer name"))
    changed = replace(enum, members=(*enum.members[:place], new, *enum.members[place:]))
    return replace(models, enums=tuple(changed if one == enum else one for one in models.enums))
