"""Finds several heads: a fork of the revisions that nobody has merged."""

from dbkit.revisions import scripts


def find_unmerged_heads() -> list[str]:
    """Return a line if this checkout has several heads; heads that all have labels are meant."""
    heads = [scripts().get_revision(name) for name in scripts().get_heads()]
    if len(heads) < 2 or all(head.branch_labels for head in heads):
        return []
    names = ", ".join(head.revision for head in heads)
    return [f"{len(heads)} heads, {names} ('make migration-merge' joins them)"]
