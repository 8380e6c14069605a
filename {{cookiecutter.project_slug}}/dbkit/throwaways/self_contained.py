"""Tells a revision whose file says all that it does from one that also depends on other things."""

import ast
import re
from collections.abc import Iterator

# Modules without a view of files, variables or networks; the last are those of columns' types.
MODULES = re.compile(
    r"(?:__future__|base64|collections|contextlib|dataclasses|datetime|decimal|enum|fractions"
    r"|functools|hashlib|ipaddress|itertools|json|math|operator|random|re|secrets|string|textwrap"
    r"|time|typing|unicodedata|uuid|warnings|zoneinfo"
    r"|alembic\.(?:op|context|operations)|dbkit\.sql_type|sqlalchemy"
    r"|advanced_alchemy|alembic_postgresql_enum|fastapi_users_db_sqlalchemy|geoalchemy2|pgvector"
    r"|sqlalchemy_utils|sqlmodel)(?:\..*)?"
)
# What opens files and connections, or asks for the command line.
NAMES = re.compile(
    r"__(?:builtins|file|import|loader|spec)__|breakpoint|cmd_opts|create_(?:async_)?engine"
    r"|engine_from_config|environment_context|eval|exec|get_tag_argument|get_x_argument|globals"
    r"|input|open"
)
ATTRIBUTES = re.compile(rf"{NAMES.pattern}|config|opts")  # of Alembic's contexts
COLUMNS = ("c", "columns")  # of a table, which may have any name
# Statements that read other databases, or files of the server.
READING_SQL = ("pg_read_", "pg_ls_", "lo_import", "dblink", "foreign schema")
COPYING_SQL = re.compile(r"\bcopy\s[^;]*\bfrom\s+(?:program\s+)?\\?'")
ROLES = re.compile(r"pg_(?:roles|user|authid|group|has_role)|regrole|_roles\b|rolname")
# Nearly all files have no other imports than these; parsing a thousand would take too long.
USUAL_IMPORT = re.compile(
    r"^[ \t]*(?:import sqlalchemy as sa"
    r"|from (?:collections\.abc|typing|datetime|sqlalchemy\.dialects(?:\.\w+)?) import [\w, ]+"
    r"|from alembic import (?:op|context|op, context|context, op))[ \t]*$",
    re.MULTILINE,
)
UNUSUAL = re.compile(rf"\b(?:import|{ATTRIBUTES.pattern})\b")


def is_self_contained(source: str) -> bool:
    """Tell whether a revision does the same wherever its file is the same.

    It does not import what may change beside it, such as the service's own code, and reads no
    file, variable or argument. In doubt it is not self-contained.

    Args:
        source: the text of a file that Python has compiled.
    """
    statements = source.lower()
    if any(words in statements for words in READING_SQL) or COPYING_SQL.search(statements):
        return False
    if not UNUSUAL.search(USUAL_IMPORT.sub("", source)):
        return True
    tree = ast.parse(source)
    if any(not _is_known(name) for name in imported_names(tree)):
        return False
    return not any(_reads(node) for node in ast.walk(tree))


def asks_for_roles(source: str) -> bool:
    """Tell whether a revision may do something else where there are other roles."""
    statements = source.lower()
    return ("rol" in statements or "pg_" in statements) and ROLES.search(statements) is not None


def imported_names(tree: ast.AST, *, at_once: bool = False) -> Iterator[str]:
    """Return what a module imports: `from .a import b`, which may be a module, as `.a.b`.

    Args:
        at_once: without what is only imported when a function is called.
    """
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (f"{node.module}." if node.module else "")
            yield from (f"{start}{alias.name}" for alias in node.names)
        if not (at_once and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            todo += ast.iter_child_nodes(node)


def _is_known(name: str) -> bool:
    last = name.rpartition(".")[2]
    return MODULES.fullmatch(name) is not None and not NAMES.fullmatch(last)


def _reads(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return NAMES.fullmatch(node.id) is not None
    if not isinstance(node, ast.Attribute) or not ATTRIBUTES.fullmatch(node.attr):
        return False
    return not (isinstance(node.value, ast.Attribute) and node.value.attr in COLUMNS)
