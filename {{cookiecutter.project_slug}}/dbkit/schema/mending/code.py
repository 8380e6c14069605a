"""SQL for functions, triggers, rules and policies."""

from collections.abc import Callable

from dbkit.schema.mending.change import (
    OF_THE_PARENT,
    Change,
    Handler,
    Kind,
    Statements,
    drop,
    ended,
)

FIRES = {
    None: "ENABLE",
    "never: disabled": "DISABLE",
    "on replicas": "ENABLE REPLICA",
    "always": "ENABLE ALWAYS",
}
DEFINITION = frozenset({"definition"})


def _drop_of_table(change: Change) -> Statements:
    if change.had("definition") == OF_THE_PARENT:
        return None
    return [f"DROP {change.one.kind.upper()} {change.own_name} ON {change.parent.name};"]


def _or_replace(words: str) -> Handler:
    """Return what creates or replaces an object, whose definition begins with CREATE `words`."""

    def replace(change: Change) -> Statements:
        definition = change.wanted("definition")
        if not definition.startswith((f"CREATE {words}", f"CREATE OR REPLACE {words}")):
            return None  # such as a constraint trigger, or one of the parent of a partition
        text = definition.replace(f"CREATE {words}", f"CREATE OR REPLACE {words}", 1)
        return [ended(text)]

    return replace


def _as_it_is(change: Change) -> Statements:
    definition = change.wanted("definition")
    return None if definition == OF_THE_PARENT else [ended(definition)]


def _fires(of: Callable[[Change], str]) -> dict[str, Handler]:
    def alter(change: Change) -> Statements:
        how = FIRES[change.wanted("fires")]
        if change.one.kind == "event trigger":
            return [f"ALTER EVENT TRIGGER {change.one.name} {how};"]
        return [f"ALTER TABLE {of(change)} {how} {change.one.kind.upper()} {change.own_name};"]

    return {"fires": alter}


def _clauses(change: Change) -> str:
    clauses = f" TO {', '.join(change.wanted('roles'))}"
    for facet, words in (("using", "USING"), ("with check", "WITH CHECK")):
        if expression := change.wanted(facet):
            clauses += f" {words} ({expression})"
    return clauses


def _create_policy(change: Change) -> Statements:
    kind = "RESTRICTIVE" if change.wanted("restrictive") else "PERMISSIVE"
    on = f"CREATE POLICY {change.own_name} ON {change.parent.name}"
    return [f"{on} AS {kind} FOR {change.wanted('command')}{_clauses(change)};"]


def _alter_policy(change: Change) -> Statements:
    """ALTER POLICY takes no clause away, and changes no command."""
    gone = [one for one in ("using", "with check") if change.had(one) and not change.wanted(one)]
    if gone or {"command", "restrictive"} & set(change.difference.facets):
        return [*(_drop_of_table(change) or ()), *(_create_policy(change) or ())]
    return [f"ALTER POLICY {change.own_name} ON {change.parent.name}{_clauses(change)};"]


_by_table = _fires(lambda change: change.parent.name)
KINDS = {
    "function": Kind(create=_as_it_is, covered=DEFINITION, drop=drop, replace=_as_it_is),
    "procedure": Kind(create=_as_it_is, covered=DEFINITION, drop=drop, replace=_as_it_is),
    "aggregate": Kind(drop=drop),
    "trigger": Kind(
        create=_as_it_is,
        covered=DEFINITION,
        drop=_drop_of_table,
        replace=_or_replace("TRIGGER"),
        alter=_by_table,
    ),
    "rule": Kind(
        create=_as_it_is,
        covered=DEFINITION,
        drop=_drop_of_table,
        replace=_or_replace("RULE"),
        alter=_by_table,
    ),
    "policy": Kind(
        create=_create_policy,
        covered=frozenset({"command", "restrictive", "roles", "using", "with check"}),
        drop=_drop_of_table,
        replace=_alter_policy,
    ),
    "event trigger": Kind(alter=_fires(lambda change: change.one.name)),
}
