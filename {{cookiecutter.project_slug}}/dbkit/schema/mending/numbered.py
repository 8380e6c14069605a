"""SQL for a column that the server numbers: serial, identity, or an ordinary default.

A column has either a default or an identity, so one goes before the other comes. The sequence goes
with it, and the new one begins after the highest number that a row has.
https://www.postgresql.org/docs/current/sql-altertable.html
"""

from dbkit.schema.mending.change import Change, Statements, literal

OWN = "own sequence"


def default(change: Change) -> Statements:
    """Return what sets or drops a default; where it takes an identity's place, that goes first."""
    wanted = change.wanted("default")
    if wanted is None:
        dropped = [_column(change, "DROP DEFAULT")]
        if change.wanted("identity") is None:
            return dropped
        gone = _sequence(change, is_found=True) if OWN in change.had("default") else None
        return [*dropped, *([f"DROP SEQUENCE {gone};"] if gone else []), *_identity(change)]
    is_identity = change.had("identity") is not None
    statements = [_column(change, "DROP IDENTITY")] if is_identity else []
    if OWN not in wanted:
        return [*statements, _column(change, f"SET DEFAULT {wanted}")]
    name = _sequence(change, is_found=not is_identity)
    if name is None:
        return None
    if is_identity:
        owner = f"{change.parent.name}.{change.own_name}"
        statements.append(f"CREATE SEQUENCE {name} AS {change.wanted('type')} OWNED BY {owner};")
    value = wanted.replace(OWN, f"{literal(name)}::regclass")
    statements.append(_column(change, f"SET DEFAULT {value}"))
    if is_identity:
        highest = f"coalesce(max({change.own_name}), 0) + 1"
        statements.append(
            f"SELECT setval({literal(name)}::regclass, {highest}, false) FROM {change.parent.name};"
        )
    return statements


def identity(change: Change) -> Statements:
    """Return what makes an identity, alters it or takes it away; `default` does it with its own."""
    return [] if "default" in change.difference.facets else _identity(change)


def not_null(change: Change) -> list[str]:
    """Return what lets a column be NULL, or not: which it has to be before it gets an identity."""
    is_wanted = bool(change.wanted("not null"))
    if is_wanted == bool(change.had("not null")):
        return []
    return [_column(change, f"{'SET' if is_wanted else 'DROP'} NOT NULL")]


def _identity(change: Change) -> list[str]:
    wanted, table, column = change.wanted("identity"), change.parent.name, change.own_name
    if wanted is None:
        return [_column(change, "DROP IDENTITY")]
    if change.had("identity"):
        return [_column(change, f"SET GENERATED {wanted}")]
    name = column[1:-1].replace('""', '"') if column.startswith('"') else column
    # Not pg_get_serial_sequence: it may answer with one that a serial column has left behind.
    return [
        *not_null(change),
        _column(change, f"ADD GENERATED {wanted} AS IDENTITY"),
        f"SELECT setval(objid::regclass, (SELECT coalesce(max({column}), 0) + 1 FROM {table}), "
        f"false) FROM pg_depend JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid "
        f"WHERE refobjid = {literal(table)}::regclass AND attname = {literal(name)} "
        "AND classid = 'pg_class'::regclass AND refclassid = classid AND deptype = 'i';",
    ]


def _column(change: Change, clause: str) -> str:
    return f"ALTER TABLE {change.parent.name} ALTER COLUMN {change.own_name} {clause};"


def _sequence(change: Change, *, is_found: bool) -> str | None:
    picture = change.found if is_found else change.expected
    sequence = picture.objects.get(f"sequence of {change.one.name}")
    return str(sequence.administration["name"]) if sequence else None
