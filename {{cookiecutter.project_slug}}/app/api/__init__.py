"""The HTTP interface. A module below this folder with a `router` is mounted: no list to keep."""

from pathlib import Path

from fastapi import APIRouter

from dbkit.modules import import_modules


def routers() -> list[APIRouter]:
    """Return the routers of all modules here, in the order of their paths.

    Those in a folder whose `__init__.py` has a router are that one's to include.
    """
    modules = import_modules(__name__, Path(__file__).parent)
    found = {each.__name__: each.router for each in modules if hasattr(each, "router")}
    return [
        router
        for name, router in found.items()
        if not any(name.startswith(f"{package}.") for package in found)
    ]
