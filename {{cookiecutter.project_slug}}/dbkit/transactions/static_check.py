"""Static check (AST): refuses a revision that mixes a transaction and autocommit.

It looks at the text, so it refuses before anything runs. Branches (`if`, `try`) are left out: which
one is taken shows only at run time, and the guard watches then.
"""

import ast
from pathlib import Path

from dbkit.transactions.boundary import MixedTransactionModes
from dbkit.transactions.guard import ADVICE, READS

HINTS = ("autocommit_block", "concurrently", "_online(", ".backfill(")
NEUTRAL = {"get_context", "get_bind", "f", "inline_literal"}  # operations that execute nothing


def check_source(path: Path, function: str) -> None:
    """Raise `MixedTransactionModes` if `upgrade` or `downgrade` in a revision's file shows both."""
    source = path.read_text(encoding="utf-8")
    if not any(hint in source for hint in HINTS):
        return
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            autocommit, transaction = _lines(node)
            if autocommit and transaction:
                raise MixedTransactionModes(
                    f"{path.name}: line {min(autocommit)} autocommits, line "
                    f"{min(transaction)} works in a transaction: {ADVICE}; nothing was run"
                )


def _lines(node: ast.AST) -> tuple[list[int], list[int]]:
    """Return the lines whose operations autocommit, and those of all other operations."""
    autocommit: list[int] = []
    transaction: list[int] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If | ast.IfExp | ast.Match | ast.Try):
            continue
        if isinstance(child, ast.With) and "autocommit_block" in ast.dump(child.items[0]):
            autocommit.append(child.lineno)
            continue
        match child:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="op"), attr=name)):
                if name not in NEUTRAL and not _reads(name, child):
                    (autocommit if _autocommits(name, child) else transaction).append(child.lineno)
        inner = _lines(child)
        autocommit += inner[0]
        transaction += inner[1]
    return autocommit, transaction


def _reads(name: str, call: ast.Call) -> bool:
    match call.args:
        case [ast.Constant(value=str(statement))]:
            return name == "execute" and READS.match(statement) is not None
    return False


def _autocommits(name: str, call: ast.Call) -> bool:
    concurrently = any(
        word.arg == "postgresql_concurrently" and ast.unparse(word.value) == "True"
        for word in call.keywords
    )
    return concurrently or name == "backfill" or name.endswith("_online")
