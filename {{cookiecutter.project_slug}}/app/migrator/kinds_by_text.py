"""Of which kind a revision is, as far as its text shows: both are refused before anything runs."""

import ast
from pathlib import Path

from app.migrator.kinds import ADVICE, READS, Mixed

HINTS = ("autocommit_block", "concurrently", "_online(", ".backfill(")
NEITHER = {"get_context", "get_bind", "f", "inline_literal"}


def may_commit(path: Path) -> bool:
    """Whether a revision's file names anything that commits as it goes."""
    source = path.read_text(encoding="utf-8")
    return any(hint in source for hint in HINTS)


def check_text(path: Path, function: str) -> None:
    """Raise `Mixed` if the text of `upgrade` or `downgrade` in a revision's file shows both.

    Which branch is taken shows only when it runs: `kinds.py` looks then.
    """
    if not may_commit(path):
        return
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            commits, transaction = _lines(node)
            if commits and transaction:
                raise Mixed(
                    f"{path.name}: line {min(commits)} commits as it goes, line "
                    f"{min(transaction)} works in a transaction: {ADVICE}; nothing was run"
                )


def _lines(node: ast.AST) -> tuple[list[int], list[int]]:
    """Where `op` is asked for what commits as it goes, and where for anything else."""
    commits: list[int] = []
    transaction: list[int] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If | ast.IfExp | ast.Match | ast.Try):
            continue
        if isinstance(child, ast.With) and "autocommit_block" in ast.dump(child.items[0]):
            commits.append(child.lineno)
            continue
        match child:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="op"), attr=name)):
                if name not in NEITHER and not _reads(name, child):
                    (commits if _commits(name, child) else transaction).append(child.lineno)
        below = _lines(child)
        commits += below[0]
        transaction += below[1]
    return commits, transaction


def _reads(name: str, call: ast.Call) -> bool:
    match call.args:
        case [ast.Constant(value=str(statement))]:
            return name == "execute" and READS.match(statement) is not None
    return False


def _commits(name: str, call: ast.Call) -> bool:
    concurrently = any(
        word.arg == "postgresql_concurrently" and ast.unparse(word.value) == "True"
        for word in call.keywords
    )
    return concurrently or name == "backfill" or name.endswith("_online")
