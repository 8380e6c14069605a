"""Writes the revision that the models need, and tells how a database differs from them."""

from dbkit.autogenerate.comparison import find_differences
from dbkit.autogenerate.options import autogenerate_options

__all__ = ["autogenerate_options", "find_differences"]
