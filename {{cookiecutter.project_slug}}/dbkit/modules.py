"""Imports all modules of a folder: what counts is that a file is there, and nobody keeps a list."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

from dbkit import PROJECT


def import_modules(package: str, folder: Path) -> list[ModuleType]:
    """Import every module below `folder`, in the order of their paths.

    Args:
        package: the name of the package that the folder is.

    Raises:
        ImportError: a file has a name that Python cannot import.
    """
    modules = []
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        if any(part.startswith(".") for part in parts):  # an editor's temporary file
            continue
        if not all(part.isidentifier() for part in parts):
            name = path.relative_to(PROJECT).as_posix()
            raise ImportError(f"{name} has a name that Python cannot import: rename it")
        modules.append(import_module(".".join((package, *parts)).removesuffix(".__init__")))
    return modules
