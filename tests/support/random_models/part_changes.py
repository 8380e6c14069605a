"""Random changes of constraints and indexes."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from support.random_models.changes import kind
from support.random_models.generate import Generator
from support.random_models.items import Part
from support.random_models.models import Models, Table

Other = Callable[[Table, Part], Part | None]


def _add(name: str, generator: Generator, models: Models) -> Models | None:
    table = generator.chance.choice(models.tables)
    after = generator.with_part(table, getattr(generator, name))
    return models.with_table(after) if after else None


def _alter(name: str, generator: Generator, models: Models) -> Models | None:
    """Another definition under the same name."""

    def other(table: Table, part: Part) -> Part | None:
        new: Part | None = getattr(generator, name)(table, part.identity)
        return new

    return _replace(name, generator, models, other, lambda part: not part.identity.startswith("("))


def _drop(name: str, generator: Generator, models: Models) -> Models | None:
    return _replace(name, generator, models, lambda *_: None)


@kind("add foreign key")
def _add_foreign_key(generator: Generator, models: Models) -> Models | None:
    return generator.with_foreign_key(models, generator.chance.choice(models.tables))


@kind("alter foreign key")
def _alter_foreign_key(generator: Generator, models: Models) -> Models | None:
    def other(_: Table, part: Part) -> Part:
        assert part.target
        name = "" if part.identity.startswith("(") else part.identity
        new = generator.foreign_key(part.needs, part.target, name)
        use_alter = ", use_alter=True"  # changes nothing in a database
        source = new.source.replace(use_alter, "").removesuffix(")")
        return replace(new, source=f"{source}{use_alter if use_alter in part.source else ''})")

    return _replace("foreign key", generator, models, other)


def _replace(
    name: str,
    generator: Generator,
    models: Models,
    other: Other,
    can: Callable[[Part], bool] = lambda _: True,
) -> Models | None:
    found = [
        (table, part) for table in models.tables for part in table.parts if part.kind == name and can(part)
    ]
    if not found:
        return None
    table, part = generator.chance.choice(found)
    new = other(table, part)
    parts = (new if one == part else one for one in table.parts)
    return models.with_table(replace(table, parts=tuple(one for one in parts if one)))


for _name in ("unique", "check", "index"):
    kind(f"add {_name}")(partial(_add, _name))
    kind(f"alter {_name}")(partial(_alter, _name))
for _name in ("unique", "check", "index", "foreign key"):
    kind(f"drop {_name}")(partial(_drop, _name))
