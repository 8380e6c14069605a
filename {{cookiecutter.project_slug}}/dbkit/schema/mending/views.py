"""SQL for views and materialized views: https://www.postgresql.org/docs/current/sql-createview.html."""

from dbkit.schema.mending.change import Change, Handler, Kind, Statements, drop, ended, set_options


def _create_view(change: Change) -> Statements:
    options = ", ".join(change.wanted("options") or ())
    with_options = f" WITH ({options})" if options else ""
    create = f"CREATE {change.one.kind.upper()} {change.one.name}{with_options} AS"
    return [f"{create}\n{ended(change.wanted('query'))}"]


def _replace_view(change: Change) -> Statements:
    """CREATE OR REPLACE keeps the columns that are there, and only adds some behind them."""
    columns = [
        [
            (one.administration["position"], one.name, one.definition.get("type"))
            for one in picture.objects.values()
            if one.kind == "column" and one.parent == change.one.key
        ]
        for picture in (change.expected, change.found)
    ]
    wanted, had = (sorted(each) for each in columns)
    if wanted[: len(had)] != had:
        return None
    return [
        create.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)
        for create in _create_view(change) or ()
    ]


def _view_by_hand(change: Change) -> str | None:
    if change.difference.first is None or change.difference.second is None:
        return None
    return "drop and create it in a revision, and grant its privileges again"


def _view(**options: Handler) -> Kind:
    options = {"create": _create_view, "drop": drop, **options}
    return Kind(
        covered=frozenset({"query", "options", "replica identity"}),  # which is always "nothing"
        alter={
            "options": lambda c: set_options(
                c, "options", f"ALTER {c.one.kind.upper()} {c.one.name}"
            ),
            "not populated": lambda c: (
                None if c.wanted("not populated") else [f"REFRESH MATERIALIZED VIEW {c.one.name};"]
            ),
        },
        instead=_view_by_hand,
        **options,
    )


KINDS = {
    "view": _view(replace=_replace_view),
    "materialized view": _view(replace=lambda _change: None),
}
