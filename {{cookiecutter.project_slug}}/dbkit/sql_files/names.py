"""Finds the names of the SQL files that a revision runs, in its text."""

import ast
from collections.abc import Iterator

OPERATION = "run_sql_file"
BRANCHES = (ast.If, ast.IfExp, ast.Match, ast.Try)


def find_names(source: str, *, branches: bool = True) -> list[str]:
    """Return the names in `op.run_sql_file("…")`, each once, in the order of the text.

    Args:
        source: the text of the revision.
        branches: with those in an `if`, `try` or `match`, of which not each is run.
    """
    if OPERATION not in source:
        return []
    return list(dict.fromkeys(_names(ast.parse(source), branches)))


def _names(node: ast.AST, branches: bool) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if not branches and isinstance(child, BRANCHES):
            continue
        match child:
            case ast.Call(
                func=ast.Attribute(attr="run_sql_file"), args=[ast.Constant(value=str(name))]
            ):
                yield name
            case ast.Call(
                func=ast.Attribute(attr="run_sql_file"),
                keywords=[ast.keyword(arg="file_name", value=ast.Constant(value=str(name)))],
            ):
                yield name
        yield from _names(child, branches)
