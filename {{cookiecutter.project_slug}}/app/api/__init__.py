"""The HTTP interface. A module in this folder that has a `router` is mounted: no list to keep."""

from importlib import import_module
from pathlib import Path

from fastapi import APIRouter


def routers() -> list[APIRouter]:
    """Return the routers of all modules here, in the order of their names."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    modules = [import_module(f"{__name__}.{name}") for name in names]
    return [module.router for module in modules if hasattr(module, "router")]
