"""Which properties of tables, columns and other objects models decide."""

from dataclasses import replace

from dbkit.schema import SchemaObject

LONGEST_NAME = 63  # bytes of a name that PostgreSQL keeps
OF_TABLES = {"column", "constraint", "index", "check", "unique constraint", "foreign key"}
# Properties that models decide; of the second kind, where they say something.
ALWAYS = {
    "table": {"partitioned", "inherits", "comment", "on conflict"},
    "column": {"type", "collation", "not null", "default", "computed", "identity", "comment"}
    | {"primary key", "autoincrement", "on conflict"},
    "constraint": {"definition"},
    "index": {"definition"},
    "type": {"enum", "domain of", "not null", "default", "collation"},
    "schema": set[str](),
}
WHERE_SAID = {
    "table": {"options", "unlogged", "strict", "without rowid"},
    "constraint": {"comment"},
}


def reduced(one: SchemaObject, said: SchemaObject | None) -> SchemaObject:
    """Return an object with those properties alone that models decide."""
    names = ALWAYS.get(one.kind)
    definition = dict(one.definition)
    if names is not None:
        said_names = WHERE_SAID.get(one.kind, set()) & set(said.definition if said else ())
        definition = {
            name: value for name, value in definition.items() if name in names | said_names
        }
    if one.kind == "constraint":
        definition["definition"] = str(definition["definition"]).removesuffix(" NOT VALID")
    return replace(one, definition=definition)
