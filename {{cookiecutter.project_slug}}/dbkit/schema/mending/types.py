"""SQL for types, domains, schemas and extensions.

https://www.postgresql.org/docs/current/sql-altertype.html
"""

from dbkit.schema.mending.change import Change, Kind, Statements, drop, literal


def _create_type(change: Change) -> Statements:
    name, values = change.one.name, change.wanted("enum")
    attributes, base = change.wanted("attributes"), change.wanted("domain of")
    if values is not None:
        return [f"CREATE TYPE {name} AS ENUM ({', '.join(map(literal, values))});"]
    if attributes is not None:
        return [f"CREATE TYPE {name} AS ({', '.join(attributes)});"]
    if base is None:
        return None  # of a range: what stands in its functions is not known
    collation, default = change.wanted("collation"), change.wanted("default")
    parts = [f"CREATE DOMAIN {name} AS {base}"]
    parts += [f"COLLATE {collation}"] if collation else []
    parts += [f"DEFAULT {default}"] if default else []
    return [" ".join([*parts, *(["NOT NULL"] if change.wanted("not null") else [])]) + ";"]


def _enum(change: Change) -> Statements:
    """Add values at their places, or rename one. PostgreSQL cannot remove any."""
    wanted, had = change.wanted("enum"), change.had("enum")
    if wanted is None or had is None:
        return None
    begin = f"ALTER TYPE {change.one.name}"
    renamed = [pair for pair in zip(had, wanted, strict=False) if pair[0] != pair[1]]
    if len(wanted) == len(had) and len(renamed) == 1:
        [(old, new)] = renamed
        return [f"{begin} RENAME VALUE {literal(old)} TO {literal(new)};"]
    if [value for value in wanted if value in had] != had:
        return None
    statements = []
    for number, value in enumerate(wanted):
        if value not in had:
            place = f" AFTER {literal(wanted[number - 1])}" if number else ""
            place = place or f" BEFORE {literal(had[0])}"
            statements.append(f"{begin} ADD VALUE {literal(value)}{place};")
    return statements


def _attributes(change: Change) -> Statements:
    wanted, had = change.wanted("attributes") or [], change.had("attributes") or []
    if wanted[: len(had)] != had:
        return None
    new = (f"ADD ATTRIBUTE {attribute}" for attribute in wanted[len(had) :])
    return [f"ALTER TYPE {change.one.name} {', '.join(new)};"]


def _domain_default(change: Change) -> Statements:
    default = change.wanted("default")
    clause = "DROP DEFAULT" if default is None else f"SET DEFAULT {default}"
    return [f"ALTER DOMAIN {change.one.name} {clause};"]


def _domain_not_null(change: Change) -> Statements:
    verb = "SET" if change.wanted("not null") else "DROP"
    return [f"ALTER DOMAIN {change.one.name} {verb} NOT NULL;"]


def _drop_type(change: Change) -> Statements:
    is_domain = change.had("domain of") is not None
    return [f"DROP {'DOMAIN' if is_domain else 'TYPE'} {change.one.name};"]


def _drop_by_hand(change: Change) -> str | None:
    if change.difference.first is None or change.difference.second is None:
        return None
    if "enum" in change.difference.facets:
        return "PostgreSQL removes no value of an enum: make the type anew in a revision"
    if "attributes" in change.difference.facets:
        return "an attribute holds data where the type is used: change it in a revision"
    return None


def _create_extension(change: Change) -> Statements:
    schema = change.wanted("schema")
    is_own = schema in ("pg_catalog", change.one.name)  # the extension itself says where it is
    return [f"CREATE EXTENSION {change.one.name}{'' if is_own else f' SCHEMA {schema}'};"]


KINDS = {
    "type": Kind(
        create=_create_type,
        covered=frozenset({"enum", "attributes", "domain of", "collation", "default", "not null"}),
        drop=_drop_type,
        replace=lambda _change: None,
        alter={
            "enum": _enum,
            "attributes": _attributes,
            "default": _domain_default,
            "not null": _domain_not_null,
        },
        instead=_drop_by_hand,
    ),
    "schema": Kind(create=lambda c: [f"CREATE SCHEMA {c.one.name};"], drop=drop),
    "extension": Kind(
        create=_create_extension,
        covered=frozenset({"schema"}),
        replace=lambda _change: None,
        instead=lambda c: None if c.difference.first else "drop it where nothing uses it any more",
    ),
}
