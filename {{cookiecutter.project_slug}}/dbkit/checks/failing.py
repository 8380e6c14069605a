"""Objects of a live database that do not do their work: invalid, not validated, disabled."""

from collections.abc import Iterator

from dbkit.schema import Picture, SchemaObject

# By kind and property: what it means, and what to do.
FAILING = {
    ("index", "invalid"): "is invalid, so no query uses it: drop it, and create it again",
    (
        "constraint",
        "not validated",
    ): "is not validated, so older rows may break it: VALIDATE CONSTRAINT",
    ("constraint", "disabled"): "checks nothing: triggers of it are disabled",
    (
        "column",
        "not null not validated",
    ): "has a NOT NULL that is not validated: VALIDATE CONSTRAINT",
    (
        "table",
        "detach pending",
    ): "is being detached, or that was interrupted: DETACH PARTITION … FINALIZE",
    ("materialized view", "not populated"): "cannot be queried: REFRESH MATERIALIZED VIEW",
    ("trigger", "fires"): "is disabled: ENABLE TRIGGER",
    ("rule", "fires"): "is disabled: ENABLE RULE",
    ("event trigger", "fires"): "is disabled: ALTER EVENT TRIGGER … ENABLE",
}
NEVER = "never"  # in `fires`; a trigger may fire on replicas alone


def find_failing(picture: Picture, expected: Picture | None) -> list[str]:
    """Print each object that fails.

    Args:
        picture: of the live database.
        expected: what the revisions build, if that was compared: drift stops the gate then.

    Returns:
        A line if nothing was compared, and an index is invalid, which no revision leaves so.
    """
    stopping = 0
    for one in picture.objects.values():
        for facet in _facets_of(one):
            known = expected.objects.get(one.key) if expected else None
            intended = known is not None and known.definition.get(facet) == one.definition[facet]
            is_note = intended or (expected is None and not _is_never_meant(one, facet))
            stopping += not is_note
            left = ", as the revisions leave it" if intended else ""
            what = FAILING[one.kind, facet]
            print(f"{'note' if is_note else 'fails'}: {one.key} {what}{left}")
    if expected or not stopping:
        return []
    count = "1 index is" if stopping == 1 else f"{stopping} indexes are"
    return [f"{count} invalid, listed above"]


def _facets_of(one: SchemaObject) -> Iterator[str]:
    for kind, facet in FAILING:
        value = one.definition.get(facet) if one.kind == kind else None
        if value is None or (facet == "fires" and not value.startswith(NEVER)):
            continue
        yield facet


def _is_never_meant(one: SchemaObject, facet: str) -> bool:
    """True for an invalid index, unless it waits for those of a table's partitions."""
    return facet == "invalid" and " ON ONLY " not in one.definition["definition"]
