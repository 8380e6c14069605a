"""Writes the revision that the models need."""

from dbkit.autogenerate.comparison import find_differences
from dbkit.autogenerate.options import autogenerate_options

__all__ = ["autogenerate_options", "find_differences"]
