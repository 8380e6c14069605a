"""Writes a new resource in the style of the example: model, schemas, endpoints and tests."""

from dbkit.scaffold.style import ScaffoldError
from dbkit.scaffold.writing import write_resource

__all__ = ["ScaffoldError", "write_resource"]
