"""What models can describe of a picture."""

from dbkit.autogenerate.properties import OF_TABLES, reduced
from dbkit.autogenerate.scope import Scope
from dbkit.schema import Picture, SchemaObject

WITH_TABLES = OF_TABLES | {"table", "sequence of"}


def describe(scope: Scope, picture: Picture, wanted: Picture | None = None) -> Picture:
    """Return the objects that models can describe, with those properties alone that they decide.

    Args:
        wanted: the picture of what they do describe: what they may leave open counts where it is
            said there. Such are exclusion constraints, which revisions make without a model, and
            CHECKs without a name, which no revision could drop.
    """
    ours = {*scope.by_key, *scope.replaced}
    kept, left_open = list[SchemaObject](), set[str | None]()
    for one in picture.objects.values():
        key = scope.key_of(one)
        is_described = (
            scope.topmost(one, picture) in ours or scope.key_of_parent(one) in scope.domains
            if one.kind in WITH_TABLES
            else key in scope.sequences
            or key in scope.enums
            or key in scope.domains
            or key in scope.replaced_types
            or (one.kind == "schema" and key[1] in scope.schemas)
        )
        is_said = wanted is None or one.key in wanted.objects
        if one.parent in left_open or (not is_said and _is_left_open(one)):
            left_open.add(one.key)  # with its index, which follows
        elif is_described:
            said = wanted.objects.get(one.key) if wanted else one
            kept.append(reduced(one, said))
    return Picture.of(picture.dialect, picture.version, kept)


def _is_left_open(one: SchemaObject) -> bool:
    definition = str(one.definition.get("definition"))
    if one.kind == "check":  # of SQLite, where one without a name is called by its expression
        return one.name.endswith(f".{definition}")
    return one.kind == "constraint" and definition.startswith("EXCLUDE")
